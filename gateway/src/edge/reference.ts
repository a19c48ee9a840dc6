import { createHash } from 'node:crypto';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { contentSecurityPolicy, referenceDirectives } from './security-headers.ts';

const SCRIPT_MAX_AGE_S = 3_600;

/** The browsable reference (B-openapi). All its files come from here, fonts included, and its policy says so. */
export async function registerReference(app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onSend', async (request, reply, payload) => {
      if (request.edge.path.endsWith('.js')) {
        reply.header('cache-control', `public, max-age=${SCRIPT_MAX_AGE_S}`);
      } else if (typeof payload === 'string') {
        await reply.helmet({
          contentSecurityPolicy: contentSecurityPolicy(referenceDirectives(inlineScripts(payload))),
        });
      }
      return payload;
    });
    await scope.register(apiReference, {
      routePrefix: '/reference',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Strongroom API',
        // Nothing from anywhere else: no fonts, no telemetry.
        withDefaultFonts: false,
        telemetry: false,
      },
    });
  });
}

/** Hashes of the scripts that stand in the page itself: they run, and nothing that gets in beside them does. */
function inlineScripts(html: string): string[] {
  const scripts = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)];
  return scripts.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
}
