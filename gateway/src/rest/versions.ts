import type { DescMethod } from '@bufbuild/protobuf';
import type { MethodPolicy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { gatewayErrors } from '../errors.ts';

const versionedPath = /^\/api\/v(\d{1,4})(?:\/|$)/;
const apiPrefix = '/api/';
const versionMediaType = 'application/vnd.api+json';

/**
 * The path with its version, S6.4: `/api/v1/payments` names it itself; `/api/payments` takes it from
 * `Accept: application/vnd.api+json; version=1`. Undefined for a path that names none in either way.
 */
export function versionedPathOf(path: string, accept: string | undefined): string | undefined {
  if (!path.startsWith(apiPrefix)) return path;
  const asked = accept === undefined ? undefined : versionFromAccept(accept);
  const named = versionedPath.exec(path)?.[1];
  if (named !== undefined) {
    if (asked !== undefined && asked !== named) throw gatewayErrors.VERSION_NOT_SUPPORTED();
    return path;
  }
  return asked === undefined ? undefined : `${apiPrefix}v${asked}/${path.slice(apiPrefix.length)}`;
}

/** Bound on the part of Accept that is looked at. */
const mediaRangesMax = 20;

function versionFromAccept(accept: string): string | undefined {
  if (!accept.includes(versionMediaType)) return undefined;
  for (const range of accept.split(',', mediaRangesMax)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== versionMediaType) continue;
    for (const parameter of parameters) {
      const version = /^version\s*=\s*"?(\d{1,4})"?$/.exec(parameter)?.[1];
      if (version !== undefined) return String(Number(version));
    }
  }
  return undefined;
}

/** Versions that some route names, for telling an unknown one from an unknown path. */
export function versionsOf(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.map((path) => versionedPath.exec(path)?.[1]).filter((version) => version !== undefined));
}

export function isKnownVersion(path: string, versions: ReadonlySet<string>): boolean {
  const named = versionedPath.exec(path)?.[1];
  return named === undefined || versions.has(named);
}

/** Header fields of a deprecated method: Deprecation (RFC 9745), Sunset (RFC 8594), Link. Undefined for any other. */
export function deprecationHeaders(
  method: DescMethod,
  policy: MethodPolicy,
  documentUrl: string,
): Readonly<Record<string, string>> | undefined {
  if (!method.deprecated) return undefined;
  const since = timeFromDate(method, policy.deprecatedSince);
  const sunset = policy.sunset === '' ? undefined : timeFromDate(method, policy.sunset);
  const links = [`<${documentUrl}>; rel="deprecation"; type="text/html"`];
  if (sunset !== undefined) links.push(`<${documentUrl}>; rel="sunset"; type="text/html"`);
  return {
    deprecation: `@${since.getTime() / 1000}`,
    ...(sunset === undefined ? {} : { sunset: sunset.toUTCString() }),
    link: links.join(', '),
  };
}

function timeFromDate(method: DescMethod, date: string): Date {
  const time = new Date(`${date}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(time.getTime())) {
    throw new Error(`${method.parent.typeName}/${method.name} is deprecated without a date: "${date}"`);
  }
  return time;
}
