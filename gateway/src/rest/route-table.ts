import type { DescMethod } from '@bufbuild/protobuf';
import { Audience, type MethodPolicy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import { createRouteTable, type RequestPath, type RestRoute, type RouteTable } from '@strongroom/rest';
import type { ServiceTarget } from '../clients.ts';
import { gatewayErrors } from '../errors.ts';
import { deprecationHeaders, isKnownVersion, versionedPathOf, versionsOf } from './versions.ts';

/** What the edge knows of a method that has a way in. */
export interface EdgeMethod {
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
  readonly target: ServiceTarget;
  /** Deprecation, Sunset and Link, where the method is deprecated. */
  readonly deprecation: Readonly<Record<string, string>> | undefined;
}

export interface RestMatch extends EdgeMethod {
  readonly kind: 'rest';
  readonly route: RestRoute;
  readonly path: RequestPath;
}

export type RestOutcome =
  | RestMatch
  | { readonly kind: 'options'; readonly allow: string }
  | { readonly kind: 'methodNotAllowed'; readonly allow: string }
  | { readonly kind: 'malformed' };

export interface RestRoutes {
  readonly table: RouteTable;
  /** Throws ROUTE_NOT_FOUND or VERSION_NOT_SUPPORTED. */
  match(method: string, path: string, accept: string | undefined): RestOutcome;
}

export const jsonTypes: readonly string[] = ['application/json', 'application/vnd.api+json'];

/** Routes of the services' methods. A contract that would open an internal method is refused at start. */
export function createRestRoutes(targets: readonly ServiceTarget[], documentUrl: string): RestRoutes {
  const methods = createEdgeMethods(targets, documentUrl);
  const table = createRouteTable(
    targets.map(({ service }) => service),
    { jsonTypes },
  );
  const edges = new Map<RestRoute, EdgeMethod>();
  for (const route of table.routes) {
    const name = `${route.method.parent.typeName}/${route.method.name}`;
    const edge = methods.get(`/${name}`);
    if (edge === undefined) throw new Error(`${name} is internal and has a REST route`);
    if (!/^\/api\/v\d+\//.test(route.template.source)) throw new Error(`${name} has a route outside /api/v1`);
    edges.set(route, edge);
  }
  const versions = versionsOf(table.routes.map((route) => route.template.source));
  return {
    table,
    match(method, path, accept) {
      const versioned = versionedPathOf(path, accept);
      if (versioned === undefined) throw gatewayErrors.ROUTE_NOT_FOUND();
      const found = table.match(method, versioned);
      if (found.kind === 'route') {
        return { kind: 'rest', route: found.route, path: found.path, ...(edges.get(found.route) as EdgeMethod) };
      }
      if (found.kind !== 'notFound') return found;
      if (versioned !== path && !isKnownVersion(versioned, versions)) throw gatewayErrors.VERSION_NOT_SUPPORTED();
      throw gatewayErrors.ROUTE_NOT_FOUND();
    },
  };
}

/** Every method with a way in, by its RPC path. Internal methods are not in it, and so have no route at all (B-zero). */
export function createEdgeMethods(
  targets: readonly ServiceTarget[],
  documentUrl: string,
): ReadonlyMap<string, EdgeMethod> {
  const methods = new Map<string, EdgeMethod>();
  for (const target of targets) {
    for (const method of target.service.methods) {
      const policy = methodPolicy(method);
      if (policy.access?.audience === Audience.INTERNAL) continue;
      const deprecation = deprecationHeaders(method, policy, documentUrl);
      methods.set(`/${target.service.typeName}/${method.name}`, { method, policy, target, deprecation });
    }
  }
  return methods;
}
