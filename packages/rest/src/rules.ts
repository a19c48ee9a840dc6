import type { DescMethod } from '@bufbuild/protobuf';
import { getOption, hasOption } from '@bufbuild/protobuf';
import { RestContractError } from './errors.ts';
import { http } from './gen/google/api/annotations_pb.ts';
import type { HttpRule } from './gen/google/api/http_pb.ts';

/** One binding of a rule: the rule itself or one of its additional_bindings. */
export interface HttpBinding {
  readonly httpMethod: string;
  readonly path: string;
  readonly body: string;
  readonly responseBody: string;
  readonly isAdditional: boolean;
}

/** An HTTP method is a token (RFC 9110, 5.6.2); in upper case, since methods are case-sensitive. */
const methodTokenPattern = /^[A-Z][A-Z0-9!#$%&'+.^_`|~-]*$/;

/** The bindings of a method: of its service-config rule where there is one, or else of its annotation. */
export function bindingsOf(method: DescMethod, configured: readonly HttpRule[]): HttpBinding[] {
  const name = `${method.parent.typeName}.${method.name}`;
  // google.api.Http: "All service configuration rules follow 'last one wins' order", and override the annotation.
  const rule =
    configured.findLast((candidate) => candidate.selector === name) ??
    (hasOption(method, http) ? getOption(method, http) : undefined);
  if (rule === undefined) {
    return [];
  }
  const nested = rule.additionalBindings.map((additional) => {
    if (additional.additionalBindings.length > 0) {
      throw new RestContractError(`${name}: additional_bindings must not be nested`);
    }
    return bindingFromRule(name, additional, true);
  });
  return [bindingFromRule(name, rule, false), ...nested];
}

function bindingFromRule(name: string, rule: HttpRule, isAdditional: boolean): HttpBinding {
  const rest = { body: rule.body, responseBody: rule.responseBody, isAdditional };
  const pattern = rule.pattern;
  if (pattern.case === undefined) {
    throw new RestContractError(`${name}: a google.api.http rule has no pattern`);
  }
  if (pattern.case !== 'custom') {
    return { httpMethod: pattern.case.toUpperCase(), path: pattern.value, ...rest };
  }
  const { kind, path } = pattern.value;
  if (kind !== '*' && !methodTokenPattern.test(kind)) {
    throw new RestContractError(`${name}: "${kind}" is not an HTTP method`);
  }
  return { httpMethod: kind, path, ...rest };
}
