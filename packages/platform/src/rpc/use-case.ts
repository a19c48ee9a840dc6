import type { HandlerContext } from '@connectrpc/connect';
import { type Call, callOf } from './call.ts';

/** The use case itself, found again by the fast routes, which have no HandlerContext to offer. */
export const directUseCase = Symbol('strongroom.direct-use-case');

export type DirectUseCase = (request: never, call: Call) => unknown;

/** A use case as the implementation of a unary method. */
export function useCase<Deps, Request, Response>(
  run: (deps: Deps, request: Request, call: Call) => Promise<Response>,
  deps: NoInfer<Deps>,
): (request: Request, context: HandlerContext) => Promise<Response> {
  const implementation = (request: Request, context: HandlerContext) => run(deps, request, callOf(context));
  const direct = (request: Request, call: Call) => run(deps, request, call);
  return Object.assign(implementation, { [directUseCase]: direct });
}

/** A use case as the implementation of a server stream. */
export function useStream<Deps, Request, Response>(
  run: (deps: Deps, request: Request, call: Call) => AsyncIterable<Response>,
  deps: NoInfer<Deps>,
): (request: Request, context: HandlerContext) => AsyncIterable<Response> {
  return (request, context) => run(deps, request, callOf(context));
}

export function directUseCaseOf(implementation: unknown): DirectUseCase | undefined {
  if (typeof implementation !== 'function') return undefined;
  return (implementation as { [directUseCase]?: DirectUseCase })[directUseCase];
}
