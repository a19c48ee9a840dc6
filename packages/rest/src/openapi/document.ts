import type { DescField, DescMessage, DescMethod, FileRegistry, JsonValue } from '@bufbuild/protobuf';
import { isHttpBody } from '../body.ts';
import { RestContractError } from '../errors.ts';
import { findField, hasOwnJson, resolveBinding } from '../field-binding.ts';
import type { RestRoute } from '../route.ts';
import type { RouteTable } from '../route-table.ts';
import { textToWellKnown } from '../well-known.ts';
import { type Comments, commentsFromRegistry } from './comments.ts';
import { createLimits, type JsonSchema } from './limits.ts';
import { type OpenApiPath, openApiFromTemplate, shapeOf } from './paths.ts';
import { createSchemas, type Schemas } from './schemas.ts';

/** What a document says about a method that its descriptor alone doesn't: answered by the caller's own options. */
export interface OperationFacts {
  /** Security requirements; an empty list for a method that anyone may call. */
  readonly security?: readonly Record<string, readonly string[]>[];
  /** Status of success; 200 without it. */
  readonly successStatus?: number;
  /** Parameters in headers, say an Idempotency-Key. */
  readonly headers?: readonly HeaderParameter[];
  /** Media type of a raw body; any without it. */
  readonly rawBodyType?: string;
  /** Names beginning with `x-`. */
  readonly extensions?: Record<`x-${string}`, JsonValue>;
}

export interface HeaderParameter {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly schema: JsonSchema;
}

export interface OpenApiOptions {
  readonly table: RouteTable;
  /** Descriptors of the same services, with source info for descriptions; buf.validate's rules become limits. */
  readonly registry: FileRegistry;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers?: readonly { readonly url: string; readonly description?: string }[];
  readonly securitySchemes?: Record<string, JsonSchema>;
  /** Schema of an error's body; RFC 9457 with `errors` without it. */
  readonly problem?: JsonSchema;
  readonly describe?: (method: DescMethod) => OperationFacts;
}

export type OpenApiDocument = { [key: string]: JsonValue };

interface Context {
  readonly options: OpenApiOptions;
  readonly schemas: Schemas;
  readonly comments: Comments;
}

/** The methods that a path item of OpenAPI 3.1 has a place for. */
const pathItemMethods = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE']);

/** Writes an OpenAPI 3.1 document that holds every route of the table and no other. */
export function createOpenApiDocument(options: OpenApiOptions): OpenApiDocument {
  const comments = commentsFromRegistry(options.registry);
  const schemas = createSchemas(comments, createLimits(options.registry));
  const context: Context = { options, schemas, comments };
  const paths = new Map<string, { [key: string]: JsonValue }>();
  const pathsByShape = new Map<string, OpenApiPath>();
  for (const route of options.table.routes) {
    const own = openApiFromTemplate(route.template, (variable) => jsonNameOf(route, variable.fieldPath));
    const shape = shapeOf(own.path);
    const path = pathsByShape.get(shape)?.path ?? own.path;
    pathsByShape.set(shape, pathsByShape.get(shape) ?? own);
    const item = paths.get(path) ?? {};
    paths.set(path, item);
    // Parameters take the names that the path's first route gave them; their meaning is the route's own.
    const names = (pathsByShape.get(shape) as OpenApiPath).parameters.map((parameter) => parameter.name);
    const parameters = own.parameters.map((parameter, index) => ({ ...parameter, name: names[index] as string }));
    addOperation(item, route, operationFromRoute(context, route, { path, parameters }));
  }
  return {
    openapi: '3.1.0',
    info: { ...options.info },
    ...(options.servers === undefined ? {} : { servers: options.servers.map((server) => ({ ...server })) }),
    tags: tagsOf(context),
    paths: Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { Problem: options.problem ?? problemSchema, ...Object.fromEntries(sortedSchemas(schemas)) },
      responses: {
        Problem: {
          description: 'The request was refused or failed (RFC 9457).',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      ...(options.securitySchemes === undefined ? {} : { securitySchemes: options.securitySchemes }),
    },
  };
}

function sortedSchemas(schemas: Schemas): [string, JsonSchema][] {
  return [...schemas.components].sort(([a], [b]) => (a < b ? -1 : 1));
}

function addOperation(item: { [key: string]: JsonValue }, route: RestRoute, operation: JsonSchema): void {
  if (pathItemMethods.has(route.httpMethod)) {
    item[route.httpMethod.toLowerCase()] = operation;
    return;
  }
  const others = (item['x-additional-operations'] ?? {}) as { [key: string]: JsonValue };
  item['x-additional-operations'] = { ...others, [route.httpMethod]: operation };
}

function tagsOf({ options, comments }: Context): JsonValue[] {
  const services = new Set(options.table.routes.map((route) => route.method.parent));
  return [...services].map((service): JsonSchema => {
    const description = comments.get(service.typeName);
    return description === undefined ? { name: service.name } : { name: service.name, description };
  });
}

function operationFromRoute(context: Context, route: RestRoute, path: OpenApiPath): JsonSchema {
  const { options, comments, schemas } = context;
  const { method } = route;
  const facts = options.describe?.(method) ?? {};
  const input = messageNamed(options.registry, method.input.typeName);
  const output = messageNamed(options.registry, method.output.typeName);
  const description = comments.get(`${method.parent.typeName}.${method.name}`);
  const parameters = [
    ...pathParameters(schemas, route, path, input),
    ...(route.body === '*' ? [] : queryParameters(schemas, route, input)),
    ...(facts.headers ?? []).map(headerParameter),
  ];
  const body = requestBody(schemas, route, input, facts);
  return {
    operationId: operationIdOf(options.table, route),
    tags: [method.parent.name],
    ...(description === undefined ? {} : { summary: firstSentence(description), description }),
    ...(method.deprecated ? { deprecated: true } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      [String(facts.successStatus ?? 200)]: successResponse(schemas, route, output),
      default: { $ref: '#/components/responses/Problem' },
    },
    ...(facts.security === undefined ? {} : { security: facts.security.map((one) => ({ ...one })) as JsonValue }),
    ...(facts.extensions ?? {}),
  };
}

/** Unique in the document: further bindings of a method are numbered. */
function operationIdOf(table: RouteTable, route: RestRoute): string {
  const siblings = table.routes.filter((other) => other.method === route.method);
  const at = siblings.indexOf(route);
  return `${route.method.parent.name}_${route.method.name}${at === 0 ? '' : `_${at + 1}`}`;
}

function firstSentence(text: string): string {
  const [paragraph = ''] = text.split('\n\n', 1);
  const line = paragraph.replaceAll('\n', ' ');
  return /^(.*?[.!?])\s/.exec(line)?.[1] ?? line;
}

function jsonNameOf(route: RestRoute, fieldPath: readonly string[]): string {
  const binding = resolveBinding(route.method.input, fieldPath);
  return typeof binding === 'string' ? fieldPath.join('.') : binding.jsonPath;
}

function pathParameters(schemas: Schemas, route: RestRoute, path: OpenApiPath, input: DescMessage): JsonSchema[] {
  return path.parameters.map((parameter) => {
    const variable = parameter.variable === undefined ? undefined : route.template.variables[parameter.variable];
    const field = variable && fieldAt(input, variable.fieldPath);
    const schema: JsonSchema = field === undefined || !parameter.isWhole ? { type: 'string' } : schemas.ofField(field);
    return {
      name: parameter.name,
      in: 'path',
      required: true,
      ...hoistDescription(schema),
      ...(parameter.isMultiSegment ? { 'x-multi-segment': true } : {}),
    };
  });
}

function fieldAt(desc: DescMessage, fieldPath: readonly string[]): DescField | undefined {
  const [first = '', ...rest] = fieldPath;
  const field = findField(desc, first);
  return rest.length === 0 || field?.message === undefined ? field : fieldAt(field.message, rest);
}

/** Parameters have a description of their own, where pages show it. */
function hoistDescription(schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema;
  return description === undefined ? { schema: rest } : { description, schema: rest };
}

/** Messages inside messages become parameters with dots; deeper than this only the body can say. */
const queryDepthMax = 4;

function queryParameters(schemas: Schemas, route: RestRoute, input: DescMessage): JsonSchema[] {
  const bound = new Set(route.pathBindings.map((binding) => binding.protoPath));
  const parameters: JsonSchema[] = [];
  const collect = (desc: DescMessage, protoPrefix: string, jsonPrefix: string, above: readonly DescMessage[]): void => {
    for (const field of desc.fields) {
      const protoPath = `${protoPrefix}${field.name}`;
      if (bound.has(protoPath) || (protoPrefix === '' && field.name === route.bodyField?.name)) {
        continue;
      }
      const name = `${jsonPrefix}${field.jsonName}`;
      const child = field.fieldKind === 'message' ? openMessage(field.message) : undefined;
      if (child !== undefined) {
        if (above.length < queryDepthMax && !above.includes(child)) {
          collect(child, `${protoPath}.`, `${name}.`, [...above, child]);
        }
      } else if (typeof resolveBinding(desc, [field.name]) !== 'string') {
        const required = schemas.isRequired(field) && jsonPrefix === '';
        parameters.push({
          name,
          in: 'query',
          ...(required ? { required } : {}),
          ...hoistDescription(schemas.ofField(field)),
        });
      }
    }
  };
  collect(input, '', '', [input]);
  return parameters;
}

function openMessage(desc: DescMessage): DescMessage | undefined {
  return textToWellKnown(desc) === undefined && !hasOwnJson(desc) ? desc : undefined;
}

function headerParameter(header: HeaderParameter): JsonSchema {
  return {
    name: header.name,
    in: 'header',
    description: header.description,
    ...(header.isRequired ? { required: true } : {}),
    schema: header.schema,
  };
}

function requestBody(
  schemas: Schemas,
  route: RestRoute,
  input: DescMessage,
  facts: OperationFacts,
): JsonSchema | undefined {
  if (route.body === '') {
    return undefined;
  }
  if (route.hasRawBody) {
    return { required: true, content: { [facts.rawBodyType ?? '*/*']: { schema: {} } } };
  }
  const bodyField = route.bodyField && findField(input, route.bodyField.name);
  const bound = new Set(route.pathBindings.map((binding) => binding.protoPath));
  const isWhole = bound.size === 0 && bodyField === undefined;
  const schema =
    bodyField === undefined
      ? isWhole
        ? schemas.ofMessage(input)
        : schemas.inline(input, bound)
      : schemas.ofField(bodyField);
  const fields = bodyField === undefined ? input.fields.filter((field) => !bound.has(field.name)) : [bodyField];
  const required = fields.some((field) => schemas.isRequired(field));
  return { ...(required ? { required } : {}), content: { 'application/json': { schema } } };
}

function successResponse(schemas: Schemas, route: RestRoute, output: DescMessage): JsonSchema {
  const field = route.responseBodyField && findField(output, route.responseBodyField.name);
  if (route.httpMethod === 'HEAD') {
    return { description: 'OK' };
  }
  if (isHttpBody(output.typeName) || isHttpBody(field?.message?.typeName)) {
    return { description: 'OK', content: { '*/*': { schema: {} } } };
  }
  const schema = field === undefined ? schemas.ofMessage(output) : schemas.ofField(field);
  return { description: 'OK', content: { 'application/json': { schema } } };
}

function messageNamed(registry: FileRegistry, typeName: string): DescMessage {
  const desc = registry.getMessage(typeName);
  if (desc === undefined) {
    throw new RestContractError(`the descriptors given hold no ${typeName}`);
  }
  return desc;
}

/** RFC 9457, with what went wrong field by field. */
const problemSchema: JsonSchema = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri-reference' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, rule: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};
