import type { IncomingMessage, Server } from 'node:http';
import { contentTypeUnaryRegExp } from '@connectrpc/connect/protocol-connect';
import type { FastifyServerOptions } from 'fastify';

type Router = NonNullable<FastifyServerOptions<Server>['routerOptions']>;
type Strategy = NonNullable<Router['constraints']>[string];
type Handler = ReturnType<ReturnType<Strategy['storage']>['get']>;

/** Name of the constraint that sends Connect's unary POSTs to the fast routes, on the same paths as everything else. */
export const UNARY_CONSTRAINT = 'connectUnary';
export const UNARY = 'unary';

/** The router takes undefined for "no constraint"; its type doesn't say so. */
const NOT_DERIVED = undefined as unknown as string;

/** Tells the router by the content type; a request without the property finds the unconstrained route. */
export const unaryConstraintStrategy: Strategy = {
  name: UNARY_CONSTRAINT,
  mustMatchWhenDerived: false,
  storage() {
    let stored: Handler = null;
    return {
      get: (key: unknown) => (key === UNARY ? stored : null),
      set: (_key: unknown, value: Handler) => {
        stored = value;
      },
      del: () => {
        stored = null;
      },
      empty: () => {
        stored = null;
      },
    };
  },
  validate: () => undefined,
  deriveConstraint(request: IncomingMessage): string {
    const type = request.headers['content-type'];
    const isUnary =
      type === 'application/proto' || type === 'application/json' || contentTypeUnaryRegExp.test(type ?? '');
    return isUnary ? UNARY : NOT_DERIVED;
  },
};
