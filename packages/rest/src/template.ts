import { RestContractError } from './errors.ts';
import { decodePercent } from './percent.ts';

/** One segment of a path template. A literal is held decoded, so that `a%40b` and `a@b` in a request both match. */
export type TemplateSegment = { kind: 'literal'; text: string } | { kind: 'single' } | { kind: 'multi' };

/** A variable: the segments `[start, end)` of the template. */
export interface TemplateVariable {
  /** Field names of the .proto, outermost first. */
  readonly fieldPath: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Whether more than one path segment can be in it; decides how it is percent-decoded. */
  readonly isMultiSegment: boolean;
  /** Whether it ends in `**`, and so takes every segment left. */
  readonly isOpenEnded: boolean;
}

/** A path template of google.api.http, parsed. */
export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** The custom verb after the last `:`, or empty. */
  readonly verb: string;
}

const identPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** pchar of RFC 3986 less the characters that the grammar itself uses. */
const literalPattern = /^(?:[A-Za-z0-9\-._~!$&'(),;@+]|%[0-9A-Fa-f]{2})+$/;

/**
 * Parses the grammar of http.proto:
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb     = ":" LITERAL ;
 */
export function parseTemplate(source: string): PathTemplate {
  const fail = (why: string): never => {
    throw new RestContractError(`path template "${source}": ${why}`);
  };
  if (!source.startsWith('/')) {
    fail('must begin with "/"');
  }
  const [path, verb] = splitVerb(source);
  if (verb !== undefined && !literalPattern.test(verb)) {
    fail(`"${verb}" is not a verb`);
  }
  const segments: TemplateSegment[] = [];
  const variables: TemplateVariable[] = [];
  for (const part of splitSegments(path.slice(1))) {
    if (part.startsWith('{')) {
      readVariable(part, segments, variables, fail);
    } else {
      segments.push(readSegment(part, fail));
    }
  }
  const multi = segments.findIndex((segment) => segment.kind === 'multi');
  if (multi >= 0 && multi !== segments.length - 1) {
    fail('"**" must be the last segment');
  }
  const paths = variables.map((variable) => variable.fieldPath.join('.'));
  if (new Set(paths).size !== paths.length) {
    fail('a field is bound twice');
  }
  return { source, segments, variables, verb: verb ?? '' };
}

/** The verb follows the last colon that is neither inside braces nor before a later slash. */
function splitVerb(source: string): [string, string | undefined] {
  const colon = source.lastIndexOf(':');
  if (colon < 0 || colon < source.lastIndexOf('/') || colon < source.lastIndexOf('}')) {
    return [source, undefined];
  }
  return [source.slice(0, colon), source.slice(colon + 1)];
}

/** Splits at slashes outside braces. */
function splitSegments(path: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < path.length; at++) {
    const char = path[at];
    if (char === '{') {
      depth++;
    } else if (char === '}') {
      depth--;
    } else if (char === '/' && depth === 0) {
      parts.push(path.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(path.slice(start));
  return parts;
}

function readSegment(part: string, fail: (why: string) => never): TemplateSegment {
  if (part === '*') {
    return { kind: 'single' };
  }
  if (part === '**') {
    return { kind: 'multi' };
  }
  if (part === '') {
    fail('a segment is empty');
  }
  const text = literalPattern.test(part) ? decodePercent(part) : undefined;
  if (text === undefined) {
    return fail(`"${part}" is not a segment`);
  }
  if (text === '.' || text === '..') {
    fail('a dot segment never matches (RFC 3986, 5.2.4)');
  }
  return { kind: 'literal', text };
}

function readVariable(
  part: string,
  segments: TemplateSegment[],
  variables: TemplateVariable[],
  fail: (why: string) => never,
): void {
  if (!part.endsWith('}')) {
    fail(`"${part}" is not a segment`);
  }
  const inner = part.slice(1, -1);
  if (inner.includes('{') || inner.includes('}')) {
    fail('a variable must not contain other variables');
  }
  const equals = inner.indexOf('=');
  const fieldPath = (equals < 0 ? inner : inner.slice(0, equals)).split('.');
  if (!fieldPath.every((name) => identPattern.test(name))) {
    fail(`"${fieldPath.join('.')}" is not a field path`);
  }
  const start = segments.length;
  const own = (equals < 0 ? '*' : inner.slice(equals + 1)).split('/').map((piece) => readSegment(piece, fail));
  segments.push(...own);
  variables.push({
    fieldPath,
    start,
    end: segments.length,
    // "exactly one path segment, such as {var} or {var=*}"; {var=**} counts as several.
    isMultiSegment: own.length > 1 || own.some((segment) => segment.kind === 'multi'),
    isOpenEnded: own.at(-1)?.kind === 'multi',
  });
}
