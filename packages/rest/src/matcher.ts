import { decodePercent, isPrintableAscii } from './percent.ts';
import type { PathTemplate } from './template.ts';

/** Path segments of a request: as they came, and decoded once. */
export interface RequestPath {
  readonly raw: readonly string[];
  readonly decoded: readonly string[];
}

export type MatchResult<T> =
  | { kind: 'match'; value: T; path: RequestPath }
  | { kind: 'methodNotAllowed'; methods: ReadonlySet<string> }
  | { kind: 'notFound' }
  | { kind: 'malformed' };

/** The kind of a custom rule that leaves the method open (http.proto, CustomHttpPattern). */
export const anyMethod = '*';

type MethodTable<T> = Map<string, T>;

interface TrieNode<T> {
  readonly literals: Map<string, TrieNode<T>>;
  single: TrieNode<T> | undefined;
  /** What ends here, by verb. */
  readonly ends: Map<string, MethodTable<T>>;
  /** What takes this and everything after it, by verb. */
  readonly multis: Map<string, MethodTable<T>>;
}

/** More segments than this match nothing; a bound on the walk, far above any template. */
const segmentsMax = 64;

/** A set of path templates. Precedence per segment: a literal, then `*`, then `**`; a verb before none. */
export class PathMatcher<T> {
  readonly #root: TrieNode<T> = createNode();
  readonly #verbs = new Set<string>();
  /** Templates without variables, by the very text of the path: the hot ones, found without a walk. */
  readonly #statics = new Map<string, MethodTable<T>>();

  /** Returns what already stands under the same shape and method, or undefined when the template was added. */
  add(method: string, template: PathTemplate, value: T): T | undefined {
    let node = this.#root;
    let ends = true;
    for (const segment of template.segments) {
      if (segment.kind === 'multi') {
        ends = false;
      } else if (segment.kind === 'single') {
        node.single ??= createNode();
        node = node.single;
      } else {
        let next = node.literals.get(segment.text);
        if (next === undefined) {
          next = createNode();
          node.literals.set(segment.text, next);
        }
        node = next;
      }
    }
    const byVerb = ends ? node.ends : node.multis;
    let methods = byVerb.get(template.verb);
    if (methods === undefined) {
      methods = new Map();
      byVerb.set(template.verb, methods);
    }
    const existing = methods.get(method);
    if (existing !== undefined) {
      return existing;
    }
    methods.set(method, value);
    if (template.verb !== '') {
      this.#verbs.add(template.verb);
    }
    if (template.segments.every((segment) => segment.kind === 'literal')) {
      this.#statics.set(template.source, methods);
    }
    return undefined;
  }

  find(method: string, path: string): MatchResult<T> {
    const fast = lookUp(this.#statics.get(path), method);
    if (fast !== undefined) {
      return { kind: 'match', value: fast, path: emptyPath };
    }
    if (!path.startsWith('/') || !isPrintableAscii(path)) {
      return { kind: 'malformed' };
    }
    const raw = path.slice(1).split('/');
    if (raw.length > segmentsMax) {
      return { kind: 'notFound' };
    }
    const decoded = path.includes('%') ? decodeSegments(raw) : raw;
    if (decoded === undefined) {
      return { kind: 'malformed' };
    }
    // RFC 3986, 6.2.2.3: whoever normalises before us would see another path, so dot segments, spelled in any way,
    // match nothing.
    if (decoded.includes('.') || decoded.includes('..')) {
      return { kind: 'notFound' };
    }
    return this.#walk(method, raw, decoded);
  }

  #walk(method: string, raw: string[], decoded: string[]): MatchResult<T> {
    const allowed = new Set<string>();
    const last = raw[raw.length - 1] as string;
    const colon = last.lastIndexOf(':');
    const verb = colon < 0 ? '' : last.slice(colon + 1);
    if (verb !== '' && this.#verbs.has(verb)) {
      const rawStem = [...raw.slice(0, -1), last.slice(0, colon)];
      const decodedStem = [...decoded.slice(0, -1), decodePercent(last.slice(0, colon)) as string];
      const value = visit(this.#root, decodedStem, 0, verb, method, allowed);
      if (value !== undefined) {
        return { kind: 'match', value, path: { raw: rawStem, decoded: decodedStem } };
      }
    }
    const value = visit(this.#root, decoded, 0, '', method, allowed);
    if (value !== undefined) {
      return { kind: 'match', value, path: { raw, decoded } };
    }
    return allowed.size > 0 ? { kind: 'methodNotAllowed', methods: allowed } : { kind: 'notFound' };
  }
}

const emptyPath: RequestPath = { raw: [], decoded: [] };

function createNode<T>(): TrieNode<T> {
  return { literals: new Map(), single: undefined, ends: new Map(), multis: new Map() };
}

function decodeSegments(raw: readonly string[]): string[] | undefined {
  const decoded: string[] = [];
  for (const segment of raw) {
    const text = decodePercent(segment);
    if (text === undefined) {
      return undefined;
    }
    decoded.push(text);
  }
  return decoded;
}

/** A HEAD is answered by GET's rule unless it has one of its own (RFC 9110, 9.3.2). */
function lookUp<T>(methods: MethodTable<T> | undefined, method: string): T | undefined {
  if (methods === undefined) {
    return undefined;
  }
  return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get(anyMethod);
}

/** Walks back when a more literal path has no rule for the method: the union of what was seen becomes `Allow`. */
function visit<T>(
  node: TrieNode<T>,
  segments: readonly string[],
  at: number,
  verb: string,
  method: string,
  allowed: Set<string>,
): T | undefined {
  if (at === segments.length) {
    return settle(node.ends.get(verb), method, allowed) ?? settle(node.multis.get(verb), method, allowed);
  }
  const segment = segments[at] as string;
  const literal = node.literals.get(segment);
  let value = literal && visit(literal, segments, at + 1, verb, method, allowed);
  if (value === undefined && node.single !== undefined && segment !== '') {
    value = visit(node.single, segments, at + 1, verb, method, allowed);
  }
  return value ?? settle(node.multis.get(verb), method, allowed);
}

function settle<T>(methods: MethodTable<T> | undefined, method: string, allowed: Set<string>): T | undefined {
  const value = lookUp(methods, method);
  if (value === undefined && methods !== undefined) {
    for (const name of methods.keys()) {
      allowed.add(name);
    }
  }
  return value;
}
