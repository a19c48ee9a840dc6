import type { FastifyInstance } from 'fastify';
import type { SigningKeys } from './signing-keys.ts';

/** Short, so that whoever goes by it alone meets a new key in time; verifiers of ours ask again by themselves. */
const jwksMaxAgeS = 60;

/** S3.1a: public parts only, so only auth can sign. */
export function registerJwks(server: FastifyInstance, signingKeys: Pick<SigningKeys, 'jwks'>): void {
  server.get('/.well-known/jwks.json', async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${jwksMaxAgeS}`);
    return reply.type('application/jwk-set+json').send(JSON.stringify(signingKeys.jwks()));
  });
}
