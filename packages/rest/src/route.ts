import type { DescField, DescMethod, Message, Registry } from '@bufbuild/protobuf';
import { create, toJson, toJsonString } from '@bufbuild/protobuf';
import type { BodyShape, RequestBody } from './body.ts';
import { isHttpBody, readJson, readJsonText, writeHttpBody, writeRawField } from './body.ts';
import { RestRequestError, ViolationList } from './errors.ts';
import type { FieldBinding } from './field-binding.ts';
import { openParents, writeBinding } from './field-binding.ts';
import type { MessageReaders } from './json-message.ts';
import { unset } from './json-message.ts';
import { getField, type LooseMessage } from './local-value.ts';
import type { RequestPath } from './matcher.ts';
import { decodePercentExceptReserved, decodePercentExceptSlash } from './percent.ts';
import { bindQuery, type QueryShape } from './query.ts';
import { ScalarMismatch } from './scalar.ts';
import type { PathTemplate, TemplateVariable } from './template.ts';
import { maskPathsFromJson } from './update-mask.ts';

/** A request as the caller's server has it. */
export interface RestRequest {
  /** From `RouteTable.match`. */
  readonly path: RequestPath;
  /** What follows the first `?` of the request target, as it came; empty without one. */
  readonly query: string;
  readonly body?: Uint8Array | undefined;
  readonly contentType?: string | undefined;
}

/** An answer's body. */
export interface RestResponse {
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

/** One binding of a method: what `RouteTable.match` finds. */
export interface RestRoute {
  readonly method: DescMethod;
  /** GET, POST, … as the rule names it; `*` for a rule that leaves it open. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly pathBindings: readonly FieldBinding[];
  /** `*`, the .proto's name of a field, or empty. */
  readonly body: string;
  readonly bodyField: DescField | undefined;
  readonly responseBodyField: DescField | undefined;
  /** Whether the body is taken as it is, not as JSON. */
  readonly hasRawBody: boolean;
  /** False for the binding of the rule itself, true for one of its additional_bindings. */
  readonly isAdditional: boolean;
  /** Throws RestRequestError. */
  decodeRequest(request: RestRequest): Message;
  encodeResponse(message: Message): RestResponse;
}

/** How text between slashes of a multi-segment variable is decoded. */
export type MultiSegmentDecoding =
  /** http.proto: all but `%2F`. */
  | 'except-slash'
  /** google.api.Http.fully_decode_reserved_expansion = false: all but the reserved characters of RFC 6570. */
  | 'except-reserved';

/** What a route is compiled from, already checked against the descriptors. */
export interface RoutePlan {
  readonly method: DescMethod;
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly pathBindings: readonly FieldBinding[];
  readonly body: string;
  readonly bodyField: DescField | undefined;
  readonly responseBodyField: DescField | undefined;
  readonly hasRawBody: boolean;
  readonly isAdditional: boolean;
  readonly bodyShape: BodyShape;
  readonly readers: MessageReaders;
  readonly registry: Registry | undefined;
  readonly emitsDefaults: boolean;
  readonly multiSegmentDecoding: MultiSegmentDecoding;
}

type BodyDecoder = (body: RequestBody, message: LooseMessage) => LooseMessage;

export function createRoute(plan: RoutePlan): RestRoute {
  const input = plan.method.input;
  const decodeBody = compileBody(plan);
  const queryShape: QueryShape = {
    input,
    isAllowed: plan.body !== '*',
    boundElsewhere: new Set([
      ...plan.pathBindings.map((binding) => binding.protoPath),
      ...(plan.bodyField === undefined ? [] : [plan.bodyField.name]),
    ]),
  };
  return {
    method: plan.method,
    httpMethod: plan.httpMethod,
    template: plan.template,
    pathBindings: plan.pathBindings,
    body: plan.body,
    bodyField: plan.bodyField,
    responseBodyField: plan.responseBodyField,
    hasRawBody: plan.hasRawBody,
    isAdditional: plan.isAdditional,
    decodeRequest(request) {
      const empty = create(input) as unknown as LooseMessage;
      const message = decodeBody({ bytes: request.body, contentType: request.contentType }, empty);
      const violations = new ViolationList();
      bindQuery(message, request.query, queryShape, violations);
      bindPath(message, request.path, plan, violations);
      violations.throwIfAny('INVALID_PARAMETER');
      return message as unknown as Message;
    },
    encodeResponse: compileResponse(plan),
  };
}

function compileBody(plan: RoutePlan): BodyDecoder {
  const { method, bodyField, bodyShape, readers } = plan;
  if (plan.hasRawBody) {
    return (body, message) => {
      if (bodyField === undefined) {
        writeHttpBody(message, body);
      } else {
        writeRawField(message, bodyField, body);
      }
      return message;
    };
  }
  if (plan.body === '') {
    return (body, message) => {
      refuseBody(body, bodyShape);
      return message;
    };
  }
  if (bodyField === undefined) {
    const read = readers.message(method.input);
    return (body, message) => {
      const text = readJsonText(body, bodyShape);
      const value = text === undefined ? message : readJson(text, undefined, bodyShape, read);
      return value === unset ? message : (value as LooseMessage);
    };
  }
  const readField = readers.field(bodyField);
  const fillMask = plan.httpMethod === 'PATCH' ? compileMaskFilling(plan, bodyField) : undefined;
  return (body, message) => {
    const text = readJsonText(body, bodyShape);
    if (text !== undefined) {
      readJson(text, bodyField.jsonName, bodyShape, (cursor) => readField(cursor, message));
      fillMask?.(message, text);
    }
    return message;
  };
}

/** A rule without a body takes none. `{}` passes, since clients of RPC-like routes send it out of habit. */
function refuseBody(body: RequestBody, shape: BodyShape): void {
  const text = body.contentType === undefined && !body.bytes?.length ? undefined : readJsonText(body, shape);
  if (text !== undefined && !/^\s*\{\s*\}\s*$/.test(text)) {
    throw new RestRequestError('INVALID_BODY', [
      { field: '', rule: 'body.not_allowed', message: 'this method takes no body' },
    ]);
  }
}

/** AIP-134: a PATCH without a mask changes the fields that its body names. Fields of the path are not changed by it. */
function compileMaskFilling(
  plan: RoutePlan,
  bodyField: DescField,
): ((message: LooseMessage, text: string) => void) | undefined {
  const mask = plan.method.input.fields.find(
    (field) => field.name === 'update_mask' && field.message?.typeName === 'google.protobuf.FieldMask',
  );
  if (mask?.fieldKind !== 'message' || bodyField.fieldKind !== 'message') {
    return undefined;
  }
  const pathPaths = new Set(plan.pathBindings.map((binding) => binding.protoPath));
  const body = bodyField.message;
  return (message, text) => {
    // Parsed a second time, by JSON.parse, which is safe once the strict reader has taken the text.
    const paths = maskPathsFromJson(body, JSON.parse(text)).filter(
      (path) => !pathPaths.has(`${bodyField.name}.${path}`),
    );
    message[mask.localName] = create(mask.message, { paths } as never);
  };
}

function bindPath(message: LooseMessage, path: RequestPath, plan: RoutePlan, violations: ViolationList): void {
  for (const [index, binding] of plan.pathBindings.entries()) {
    const text = variableText(path, plan.template.variables[index] as TemplateVariable, plan.multiSegmentDecoding);
    const value = binding.fromText(text);
    if (value instanceof ScalarMismatch) {
      violations.add(binding.jsonPath, 'type', value.expected);
      continue;
    }
    const target = openParents(message, binding.parents);
    const existing = typeof target === 'string' ? undefined : getField(target, binding.field);
    if (existing !== undefined && !isDefault(existing) && String(existing) !== String(value)) {
      violations.add(binding.jsonPath, 'path.conflict', 'has another value in the path');
      continue;
    }
    const other = writeBinding(message, binding, value);
    if (other !== undefined) {
      violations.add(binding.jsonPath, 'oneof', `can't be set together with ${other}`);
    }
  }
}

function variableText(path: RequestPath, variable: TemplateVariable, decoding: MultiSegmentDecoding): string {
  if (!variable.isMultiSegment) {
    return path.decoded[variable.start] as string;
  }
  const raw = path.raw.slice(variable.start, variable.isOpenEnded ? undefined : variable.end).join('/');
  // The matcher has decoded every segment already, so the encoding is known to be good.
  const text = decoding === 'except-slash' ? decodePercentExceptSlash(raw) : decodePercentExceptReserved(raw);
  return text as string;
}

function isDefault(value: unknown): boolean {
  return value === '' || value === 0 || value === 0n || value === '0' || value === false;
}

function compileResponse(plan: RoutePlan): (message: Message) => RestResponse {
  const output = plan.method.output;
  const options = {
    alwaysEmitImplicit: plan.emitsDefaults,
    ...(plan.registry === undefined ? {} : { registry: plan.registry }),
  };
  const field = plan.responseBodyField;
  if (isHttpBody(output.typeName)) {
    return (message) => responseFromHttpBody(message as unknown as LooseMessage);
  }
  if (field === undefined) {
    return (message) => ({ contentType: jsonContentType, body: toJsonString(output, message, options) });
  }
  if (isHttpBody(field.message?.typeName)) {
    return (message) =>
      responseFromHttpBody((getField(message as unknown as LooseMessage, field) ?? {}) as LooseMessage);
  }
  return (message) => {
    const json = toJson(output, message, { ...options, alwaysEmitImplicit: true }) as Record<string, unknown>;
    return { contentType: jsonContentType, body: JSON.stringify(json[field.jsonName] ?? null) };
  };
}

/** RFC 8259 defines no charset parameter, yet ASVS 4.1.1 wants one, and every client ignores it. */
const jsonContentType = 'application/json; charset=utf-8';

function responseFromHttpBody(body: LooseMessage): RestResponse {
  const contentType = typeof body.contentType === 'string' && body.contentType !== '' ? body.contentType : undefined;
  return {
    contentType: contentType ?? 'application/octet-stream',
    body: body.data instanceof Uint8Array ? body.data : new Uint8Array(),
  };
}
