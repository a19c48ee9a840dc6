import type { DescField, DescMethod, DescService, Registry } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { isHttpBody } from './body.ts';
import { RestContractError } from './errors.ts';
import { type FieldBinding, resolveBinding } from './field-binding.ts';
import type { HttpRule } from './gen/google/api/http_pb.ts';
import type { JsonLimits } from './json-cursor.ts';
import { createMessageReaders } from './json-message.ts';
import { PathMatcher, type RequestPath } from './matcher.ts';
import { createRoute, type MultiSegmentDecoding, type RestRoute, type RoutePlan } from './route.ts';
import { bindingsOf, type HttpBinding } from './rules.ts';
import { parseTemplate } from './template.ts';

/** Everything has a default; see the README. */
export interface RouteTableOptions {
  /** Media types taken as JSON. */
  readonly jsonTypes?: readonly string[];
  readonly jsonLimits?: JsonLimits;
  /** The types that a google.protobuf.Any may hold; none without it. */
  readonly registry?: Registry;
  /** Whether fields at their default are in answers. On: a list is `[]`, never absent. */
  readonly emitsDefaults?: boolean;
  /** Rules of a service configuration, by selector; they override annotations. */
  readonly rules?: readonly HttpRule[];
  readonly multiSegmentDecoding?: MultiSegmentDecoding;
  /** Whether a method's body goes as it is into its bytes field: for signatures over a body. */
  readonly isRawBody?: (method: DescMethod) => boolean;
}

export type RouteMatch =
  | { kind: 'route'; route: RestRoute; path: RequestPath }
  /** There is no such path. */
  | { kind: 'notFound' }
  /** There is, for other methods: the value of the Allow field. */
  | { kind: 'methodNotAllowed'; allow: string }
  /** OPTIONS on a path that has no OPTIONS rule: the value of the Allow field. */
  | { kind: 'options'; allow: string }
  /** The path is not percent-encoded UTF-8. */
  | { kind: 'malformed' };

export interface RouteTable {
  /** In the order of the services, their methods, and the bindings of each. */
  readonly routes: readonly RestRoute[];
  /** `path` is the request target up to its `?`, as it came. */
  match(method: string, path: string): RouteMatch;
}

/** Deep and wide enough for any honest message, far below what could hurt. */
const defaultJsonLimits: JsonLimits = { depthMax: 32, keysMax: 1000 };

/** Compiles the google.api.http rules of the services. Throws RestContractError for a rule that can't be served. */
export function createRouteTable(services: readonly DescService[], options: RouteTableOptions = {}): RouteTable {
  const readers = createMessageReaders(options.registry);
  const shared = {
    readers,
    registry: options.registry,
    emitsDefaults: options.emitsDefaults ?? true,
    multiSegmentDecoding: options.multiSegmentDecoding ?? ('except-slash' as const),
    bodyShape: {
      limits: options.jsonLimits ?? defaultJsonLimits,
      jsonTypes: new Set((options.jsonTypes ?? ['application/json']).map((type) => type.toLowerCase())),
    },
  };
  const routes: RestRoute[] = [];
  const matcher = new PathMatcher<RestRoute>();
  for (const method of services.flatMap((service) => service.methods)) {
    for (const binding of bindingsOf(method, options.rules ?? [])) {
      const route = createRoute({ ...planRoute(method, binding, options), ...shared });
      const existing = matcher.add(route.httpMethod, route.template, route);
      if (existing !== undefined) {
        const [a, b] = [existing, route].map((one) => `${one.method.parent.typeName}.${one.method.name}`);
        throw new RestContractError(`${a} and ${b} are both ${route.httpMethod} ${route.template.source}`);
      }
      routes.push(route);
    }
  }
  return { routes, match: (method, path) => matchRoute(matcher, method, path) };
}

function matchRoute(matcher: PathMatcher<RestRoute>, method: string, path: string): RouteMatch {
  const found = matcher.find(method, path);
  switch (found.kind) {
    case 'match':
      return { kind: 'route', route: found.value, path: found.path };
    case 'methodNotAllowed': {
      const allow = allowFrom(found.methods);
      return method === 'OPTIONS' ? { kind: 'options', allow } : { kind: 'methodNotAllowed', allow };
    }
    default:
      return found;
  }
}

/** RFC 9110, 10.2.1. GET brings HEAD with it, and OPTIONS is always answered. */
function allowFrom(methods: ReadonlySet<string>): string {
  const all = new Set(methods);
  if (all.has('GET')) {
    all.add('HEAD');
  }
  all.add('OPTIONS');
  return [...all].sort().join(', ');
}

type OwnPlan = Omit<RoutePlan, 'readers' | 'registry' | 'emitsDefaults' | 'multiSegmentDecoding' | 'bodyShape'>;

function planRoute(method: DescMethod, binding: HttpBinding, options: RouteTableOptions): OwnPlan {
  const name = `${method.parent.typeName}.${method.name}`;
  const fail = (why: string): never => {
    throw new RestContractError(`${name}: ${why}`);
  };
  if (method.methodKind !== 'unary') {
    fail('a streaming method has no REST route');
  }
  const template = parseTemplate(binding.path);
  const pathBindings = template.variables.map((variable) => bindVariable(method, variable.fieldPath, fail));
  const bodyField = topLevelField(method.input.fields, binding.body === '*' ? '' : binding.body, 'body', fail);
  const responseBodyField = topLevelField(method.output.fields, binding.responseBody, 'response_body', fail);
  if (bodyField !== undefined && pathBindings.some((path) => path.protoPath === bodyField.name)) {
    fail(`"${bodyField.name}" is bound by the path and the body`);
  }
  if (binding.body !== '' && (binding.httpMethod === 'GET' || binding.httpMethod === 'HEAD')) {
    fail(`${binding.httpMethod} has no body (AIP-127)`);
  }
  return {
    method,
    httpMethod: binding.httpMethod,
    template,
    pathBindings,
    body: binding.body,
    bodyField,
    responseBodyField,
    hasRawBody: hasRawBody(method, binding, bodyField, options, fail),
    isAdditional: binding.isAdditional,
  };
}

/** "path variables must not refer to any repeated or mapped field", and are of "a primitive (non-message) type". */
function bindVariable(method: DescMethod, fieldPath: readonly string[], fail: (why: string) => never): FieldBinding {
  const binding = resolveBinding(method.input, fieldPath);
  if (typeof binding === 'string') {
    return fail(`the path variable ${fieldPath.join('.')} is not a field that a path can fill`);
  }
  if (binding.field.fieldKind !== 'scalar' && binding.field.fieldKind !== 'enum') {
    fail(`the path variable ${fieldPath.join('.')} is not of a primitive type`);
  }
  if (binding.protoPath !== fieldPath.join('.')) {
    fail(`the path variable ${fieldPath.join('.')} must be spelled ${binding.protoPath}`);
  }
  return binding;
}

/** "the referred field must be present at the top-level of the message type". */
function topLevelField(
  fields: readonly DescField[],
  name: string,
  option: string,
  fail: (why: string) => never,
): DescField | undefined {
  if (name === '') {
    return undefined;
  }
  return fields.find((field) => field.name === name) ?? fail(`${option}: there is no field "${name}"`);
}

function hasRawBody(
  method: DescMethod,
  binding: HttpBinding,
  bodyField: DescField | undefined,
  options: RouteTableOptions,
  fail: (why: string) => never,
): boolean {
  if (
    isHttpBody(bodyField === undefined && binding.body === '*' ? method.input.typeName : bodyField?.message?.typeName)
  ) {
    return true;
  }
  if (options.isRawBody?.(method) !== true) {
    return false;
  }
  return bodyField?.scalar === ScalarType.BYTES && bodyField.fieldKind === 'scalar'
    ? true
    : fail('a raw body needs `body` to name a field of type bytes');
}
