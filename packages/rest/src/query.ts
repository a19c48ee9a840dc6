import type { DescMessage } from '@bufbuild/protobuf';
import type { ViolationList } from './errors.ts';
import { type FieldBinding, resolveBinding, writeBinding } from './field-binding.ts';
import type { LooseMessage } from './local-value.ts';
import { decodePercent, isPrintableAscii } from './percent.ts';
import { ScalarMismatch } from './scalar.ts';

/** More parameters than this are refused; far above any form. */
export const queryParametersMax = 200;

/** Which fields a route takes from the query. */
export interface QueryShape {
  readonly input: DescMessage;
  /** False with `body: "*"`: then there is no query parameter at all (http.proto, rule 2). */
  readonly isAllowed: boolean;
  /** .proto paths that the path or the body bind already. */
  readonly boundElsewhere: ReadonlySet<string>;
}

/** Binds every parameter of the raw query string (without its `?`). */
export function bindQuery(message: LooseMessage, query: string, shape: QueryShape, violations: ViolationList): void {
  if (query === '') {
    return;
  }
  const pairs = query.split('&').filter((pair) => pair !== '');
  if (pairs.length > queryParametersMax) {
    violations.add('', 'query.count', `more than ${queryParametersMax} parameters`);
    return;
  }
  const seen = new Set<string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decodeQuery(equals < 0 ? pair : pair.slice(0, equals));
    const text = equals < 0 ? '' : decodeQuery(pair.slice(equals + 1));
    if (name === undefined || text === undefined) {
      violations.add(name ?? '', 'query.encoding', 'is not percent-encoded UTF-8');
      continue;
    }
    bindParameter(message, name, text, shape, seen, violations);
  }
}

/** Decodes once. A plus is a space, as forms and URLSearchParams write it. */
function decodeQuery(raw: string): string | undefined {
  return isPrintableAscii(raw) ? decodePercent(raw.replaceAll('+', ' ')) : undefined;
}

function bindParameter(
  message: LooseMessage,
  name: string,
  text: string,
  shape: QueryShape,
  seen: Set<string>,
  violations: ViolationList,
): void {
  const binding = shape.isAllowed ? resolveBinding(shape.input, name.split('.')) : 'unknown';
  if (binding === 'unknown') {
    violations.add(name, 'query.unknown', 'is not a parameter of this method');
    return;
  }
  if (binding === 'not_bindable') {
    violations.add(name, 'query.not_bindable', 'can be given in a body only');
    return;
  }
  if (isBoundElsewhere(binding.protoPath, shape.boundElsewhere)) {
    violations.add(binding.jsonPath, 'query.unknown', 'is given by the path or the body');
    return;
  }
  if (binding.field.fieldKind !== 'list' && seen.has(binding.protoPath)) {
    violations.add(binding.jsonPath, 'query.duplicate', 'is given more than once');
    return;
  }
  seen.add(binding.protoPath);
  setParameter(message, binding, text, violations);
}

function setParameter(message: LooseMessage, binding: FieldBinding, text: string, violations: ViolationList): void {
  const value = binding.fromText(text);
  if (value instanceof ScalarMismatch) {
    violations.add(binding.jsonPath, 'type', value.expected);
    return;
  }
  const other = writeBinding(message, binding, value);
  if (other !== undefined) {
    violations.add(binding.jsonPath, 'oneof', `can't be set together with ${other}`);
  }
}

/** A bound message covers every field inside it. */
function isBoundElsewhere(protoPath: string, bound: ReadonlySet<string>): boolean {
  if (bound.has(protoPath)) {
    return true;
  }
  for (let dot = protoPath.indexOf('.'); dot >= 0; dot = protoPath.indexOf('.', dot + 1)) {
    if (bound.has(protoPath.slice(0, dot))) {
      return true;
    }
  }
  return false;
}
