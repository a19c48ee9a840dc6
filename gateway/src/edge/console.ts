import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { gatewayErrors } from '../errors.ts';
import { consoleDirectives, contentSecurityPolicy } from './security-headers.ts';

const ASSET_MAX_AGE_S = 31_536_000;
const filePattern = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.[A-Za-z0-9]+$/;

/** The web console, where it is built (B-console). Its own policy lets it load its own files and talk to its own origin. */
export async function registerConsole(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) return;
  await app.register(async (scope) => {
    const policy = contentSecurityPolicy(consoleDirectives);
    // Its build lays compressed forms beside its files.
    await scope.register(fastifyStatic, {
      root: folder,
      serve: false,
      cacheControl: false,
      dotfiles: 'deny',
      preCompressed: true,
    });
    scope.get('/console', async (_request, reply) => reply.redirect('/console/', 301));
    scope.get('/console/*', async (request, reply) => {
      const name = (request.params as { '*': string })['*'];
      await reply.helmet({ contentSecurityPolicy: policy });
      // Addresses without a file's ending are the console's own to read.
      if (!/\.[A-Za-z0-9]+$/.test(name)) return reply.header('cache-control', 'no-cache').sendFile('index.html');
      if (!filePattern.test(name)) throw gatewayErrors.ROUTE_NOT_FOUND();
      // Names under assets/ hold a hash of their content; the page that names them must always be fresh.
      const isHashed = name.startsWith('assets/');
      reply.header('cache-control', isHashed ? `public, max-age=${ASSET_MAX_AGE_S}, immutable` : 'no-cache');
      return reply.sendFile(name);
    });
  });
}
