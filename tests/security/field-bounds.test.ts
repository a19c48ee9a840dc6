// The published document says what each field takes. Each bound is met and then passed by one, at the edge and at the service
// itself: exactly what is documented goes through (ASVS V2.1.1, V2.2.1, V2.2.2).
import { type DescMethod, getOption } from '@bufbuild/protobuf';
import { http } from '@strongroom/gen/google/api/annotations_pb.ts';
import t from 'tap';
import { anId, nameOf, startContractEdge } from './contract-edge.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Case {
  readonly path: readonly string[];
  readonly bound: string;
  /** At the bound, where there is such a value. */
  readonly inside?: unknown;
  /** Beyond it. */
  readonly outside: unknown;
}

t.setTimeout(180_000);
const depthMax = 4;
const edge = await startContractEdge(t);
const token = edge.mesh.tokens.token({ role: 'ADMIN', claims: { amr: ['pwd', 'otp', 'mfa'], mfe: true } });
const document = (await (await fetch(`${edge.gateway.url}/openapi.json`)).json()) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const methods = new Map(edge.methods.map((method) => [`${method.parent.name}_${method.name}`, method]));

const resolve = (schema: Schema): Schema =>
  schema.$ref === undefined
    ? schema
    : { ...document.components.schemas[schema.$ref.replace('#/components/schemas/', '')], ...schema };

/** Every bound that a schema has, and a value of another type than its own. */
function casesOf(given: Schema, path: readonly string[]): Case[] {
  const schema = resolve(given);
  const of = (bound: string, outside: unknown, inside?: unknown): Case => ({ path, bound, outside, inside });
  const own = [schema.type ?? 'string'].flat();
  if (own.includes('object')) {
    const { maxProperties, properties = {} } = schema;
    const pairs = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
    const bounds =
      maxProperties === undefined ? [] : [of('maxProperties', pairs(maxProperties + 1), pairs(maxProperties))];
    if (path.length >= depthMax) return bounds;
    const inner = Object.entries(properties).flatMap(([name, property]) => casesOf(property, [...path, name]));
    return [...bounds, ...inner, ...(path.length === 0 ? [] : [of('type', 'text')])];
  }
  if (own.includes('array')) {
    const { maxItems } = schema;
    const items = (count: number) => Array.from({ length: count }, (_, index) => `item${index}`);
    return [of('type', 'text'), ...(maxItems === undefined ? [] : [of('maxItems', items(maxItems + 1))])];
  }
  if (own.includes('boolean')) return [of('type', 'text')];
  if (own.includes('integer')) {
    const { minimum, maximum } = schema;
    return [
      of('type', 'text'),
      of('type', '1.5'),
      ...(minimum === undefined ? [] : [of('minimum', minimum - 1, minimum)]),
      ...(maximum === undefined ? [] : [of('maximum', maximum + 1, maximum)]),
    ];
  }
  return textCases(schema, of);
}

function textCases(schema: Schema, of: (bound: string, outside: unknown, inside?: unknown) => Case): Case[] {
  if (schema.contentEncoding !== undefined || schema.format === 'date-time') return [of('type', {})];
  if (schema.enum !== undefined) return [of('enum', 'NO_SUCH_VALUE', schema.enum[0]), of('type', {})];
  const { minLength = 0, maxLength } = schema;
  return [
    of('type', {}),
    ...(schema.format === 'uuid' ? [of('format', 'no-id', anId)] : []),
    ...(minLength > 0 ? [of('minLength', 'a'.repeat(minLength - 1), 'a'.repeat(minLength))] : []),
    ...(maxLength === undefined ? [] : [of('maxLength', 'a'.repeat(maxLength + 1), 'a'.repeat(maxLength))]),
  ];
}

/** The value at its place in an otherwise empty object. */
const placed = (path: readonly string[], value: unknown): object =>
  path.reduceRight((inner, name) => ({ [name]: inner }), value) as object;

const headers = () => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'idempotency-key': crypto.randomUUID(),
});

interface Answer {
  readonly status: number;
  readonly errors: readonly { readonly field: string; readonly rule: string }[];
}

async function answerOf(sent: Promise<Response>): Promise<Answer> {
  const response = await sent;
  const text = await response.text();
  const { errors = [] } = text === '' ? {} : (JSON.parse(text) as { errors?: Answer['errors'] });
  return { status: response.status, errors };
}

interface Place {
  readonly verb: string;
  readonly path: string;
  readonly method: DescMethod;
  readonly inQuery: boolean;
}

function askEdge({ verb, path, inQuery }: Place, at: readonly string[], value: unknown): Promise<Answer> {
  const url = `${edge.gateway.url}${path.replace(/\{[^}]+\}/g, anId)}`;
  if (!inQuery)
    return answerOf(fetch(url, { method: verb, headers: headers(), body: JSON.stringify(placed(at, value)) }));
  const texts = [value].flat().map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one)));
  const query = new URLSearchParams(texts.map((text): [string, string] => [at.join('.'), text]));
  return answerOf(fetch(`${url}?${query}`, { method: verb, headers: { authorization: `Bearer ${token}` } }));
}

function askService({ method, path, inQuery }: Place, at: readonly string[], value: unknown): Promise<Answer> {
  const { body } = getOption(method, http);
  const ids = [...path.matchAll(/\{([^}.]+)\}/g)].map(([, name = '']) => [name, anId]);
  const field = inQuery || body === '*' || body === '' ? at : [body, ...at];
  const request = { ...Object.fromEntries(ids), ...placed(field, value) };
  const service = edge.mesh.upstreams.find((one) => one.service.typeName === method.parent.typeName);
  const url = `${service?.url.replace('https:', 'http:')}/${nameOf(method)}`;
  return answerOf(fetch(url, { method: 'POST', headers: headers(), body: JSON.stringify(request) }));
}

/** The rules that a bound of the document stands for. */
const rulesOfBound: Readonly<Record<string, RegExp>> = {
  maxLength: /max_len|max_bytes|\.len$/,
  minLength: /min_len|\.len$/,
  maximum: /lte?$/,
  minimum: /gte?/,
  maxProperties: /max_pairs/,
  enum: /in$|enum|type/,
  format: /uuid/,
};

/** What of a case doesn't hold; nothing if all does. */
async function faultsOf(place: Place, { path, bound, inside, outside }: Case): Promise<string[]> {
  const name = `${place.verb} ${place.path} ${path.join('.')} ${bound}`;
  // Where the body is one field of the message, an error names that field too.
  const isOfField = (field: string) => `.${field}`.endsWith(`.${path.join('.')}`);
  const [beyond, direct, met] = await Promise.all([
    askEdge(place, path, outside),
    askService(place, path, outside),
    inside === undefined ? undefined : askEdge(place, path, inside),
  ]);
  const faults: string[] = [];
  if (beyond.status !== 400) faults.push(`${name}: ${beyond.status} beyond the bound`);
  if (!beyond.errors.some(({ field }) => isOfField(field))) faults.push(`${name}: no word on the field`);
  if (direct.status !== 400) faults.push(`${name}: ${direct.status} beyond the bound at the service`);
  const rule = rulesOfBound[bound];
  for (const error of met?.errors ?? []) {
    if (isOfField(error.field) && rule?.test(error.rule)) faults.push(`${name}: ${error.rule} at the bound`);
  }
  return faults;
}

/** Names of fields whose rules stand elsewhere: the key of an act is that of its header too (B-idem). */
const elsewhere: ReadonlySet<string> = new Set(['requestId']);

t.test('S2.1: every bound of the published document is where it says, at the edge and at the service', async (t) => {
  const faults: string[] = [];
  let count = 0;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(item)) {
      // Further bindings of a method have its name with a number.
      const method = methods.get(operation.operationId.replace(/_\d+$/, ''));
      if (method === undefined) throw new Error(`no method of ${operation.operationId}`);
      const place = { verb: verb.toUpperCase(), path, method };
      const body = operation.requestBody?.content['application/json']?.schema;
      const inBody = body === undefined ? [] : casesOf(body, []);
      const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
      // A query holds texts alone: an object in it is only another text.
      const inQuery = query
        .flatMap(({ name, schema }) => casesOf(schema, name.split('.')))
        .filter(({ outside }) => typeof outside !== 'object' || Array.isArray(outside));
      const cases = [
        ...inBody.map((one) => ({ place: { ...place, inQuery: false }, one })),
        ...inQuery.map((one) => ({ place: { ...place, inQuery: true }, one })),
      ].filter(({ one }) => !elsewhere.has(one.path.at(-1) ?? ''));
      const found = await Promise.all(cases.map((each) => faultsOf(each.place, each.one)));
      faults.push(...found.flat());
      count += cases.length;
    }
  }
  t.same(faults, []);
  t.ok(count > 300, `${count} bounds`);
});
