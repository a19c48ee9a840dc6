import { createHash } from 'node:crypto';
import type { DescEnum, DescMethod, FileRegistry } from '@bufbuild/protobuf';
import {
  Audience,
  IdempotencyKey,
  LimitClassSchema,
  type MethodPolicy,
  RoleSchema,
} from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import {
  createOpenApiDocument,
  type HeaderParameter,
  type JsonSchema,
  type OpenApiDocument,
  type OperationFacts,
  type RouteTable,
} from '@strongroom/rest';
import type { FastifyInstance } from 'fastify';

export interface OpenApiOptions {
  readonly table: RouteTable;
  /** The contract with its comments: gen/descriptors.binpb. */
  readonly descriptors: FileRegistry;
  readonly publicUrl: string;
}

const description = `A hardened payments backend.

**Versions.** The path names the version (\`/api/v1/…\`); \`/api/…\` with \`Accept: application/vnd.api+json; version=1\`
is the same. A version changes only compatibly: fields and methods are added, never taken away or given another meaning.
What will go is marked deprecated here and answers with \`Deprecation\` (RFC 9745), \`Sunset\` (RFC 8594) and \`Link\`.

**Errors** are problem details (RFC 9457) with a \`code\`, a \`requestId\` and \`retry\` advice: \`never\`, \`now\`,
\`after\` (see \`Retry-After\`) or \`new-key\`.

**Limits** are told in \`RateLimit\` and \`RateLimit-Policy\`, and in \`RateLimit-Limit\`, \`-Remaining\` and \`-Reset\`.

**Idempotency.** Methods with an \`Idempotency-Key\` do a thing once, however often they are called with one key and one
body; a repeated answer carries \`Idempotency-Replayed: true\`.`;

const problemSchema: JsonSchema = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'retry', 'errors'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'Names the kind of problem.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'For people.' },
    instance: { type: 'string', format: 'uri', description: 'Names the request.' },
    code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$', description: 'For programs.' },
    requestId: { type: 'string' },
    retry: { type: 'string', enum: ['never', 'now', 'after', 'new-key'] },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'rule', 'message'],
        properties: { field: { type: 'string' }, rule: { type: 'string' }, message: { type: 'string' } },
      },
    },
    metadata: {
      type: 'object',
      description: 'What else the error says, such as the assurance that a step-up must reach.',
      additionalProperties: { type: 'string' },
    },
  },
};

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token (RFC 9068).' },
  dpop: { type: 'http', scheme: 'DPoP', description: 'Access token bound to a key, with its proof (RFC 9449).' },
};

/** The OpenAPI document of everything under /api, from the same descriptors as the routes (B-openapi). */
export function createOpenApi({ table, descriptors, publicUrl }: OpenApiOptions): OpenApiDocument {
  return createOpenApiDocument({
    table,
    registry: descriptors,
    info: { title: 'Strongroom API', version: '1.0.0', description },
    servers: [{ url: publicUrl }],
    securitySchemes,
    problem: problemSchema,
    describe: (method) => factsFromPolicy(method, methodPolicy(method)),
  });
}

export function registerOpenApi(app: FastifyInstance, document: OpenApiDocument): void {
  const body = JSON.stringify(document);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  app.get('/openapi.json', async (request, reply) => {
    reply.headers({ etag, 'cache-control': 'public, max-age=60' });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(body);
  });
}

function factsFromPolicy(method: DescMethod, policy: MethodPolicy): OperationFacts {
  const { access } = policy;
  const isPublic = access?.audience === Audience.PUBLIC;
  const roles = access?.audience === Audience.ROLES ? access.roles.map((role) => nameOf(RoleSchema, role)) : [];
  const { mfa = false, maxAuthenticationAgeS = 0 } = access?.assurance ?? {};
  return {
    security: isPublic ? [] : [{ bearer: [] }, { dpop: [] }],
    successStatus: policy.successStatus,
    headers: idempotencyHeaders(policy),
    extensions: {
      'x-rate-limit': nameOf(LimitClassSchema, policy.limit),
      ...(roles.length > 0 ? { 'x-roles': roles } : {}),
      ...(mfa ? { 'x-second-factor': true } : {}),
      ...(maxAuthenticationAgeS > 0 ? { 'x-authentication-age-max-s': maxAuthenticationAgeS } : {}),
      ...(method.deprecated && policy.sunset !== '' ? { 'x-sunset': policy.sunset } : {}),
    },
  };
}

function nameOf(desc: DescEnum, value: number): string {
  return desc.value[value]?.name ?? String(value);
}

function idempotencyHeaders(policy: MethodPolicy): HeaderParameter[] {
  if (policy.idempotencyKey === IdempotencyKey.UNSPECIFIED) return [];
  return [
    {
      name: 'Idempotency-Key',
      description: 'Names this act: sent again with the same body, it gets the same answer and nothing is done twice.',
      isRequired: policy.idempotencyKey === IdempotencyKey.REQUIRED,
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
    },
  ];
}
