import {
  type ConfigOf,
  defineConfig,
  durationMs,
  engineVariables,
  file,
  integer,
  limitVariables,
  list,
  meshVariables,
  port,
  processVariables,
  redisVariables,
  text,
} from '@strongroom/platform/config';

/** An origin as browsers send it: scheme, host, port; no path, no wildcard (ASVS V3.4.2). */
const originPattern = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/;

/** An address of either family, and how many of its bits count. */
const networkPattern =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:\/(?:[12]?\d|3[0-2]))?|[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?:\/(?:\d{1,2}|1[01]\d|12[0-8]))?)$/i;

export const gatewayVariables = defineConfig({
  ...processVariables,
  ...meshVariables,
  ...engineVariables,
  ...redisVariables,
  ...limitVariables,
  PORT: port({ default: 3000, doc: 'Port of the gateway.' }),
  CORS_ORIGINS: list({
    default: [],
    itemPattern: originPattern,
    doc: 'Origins of other sites whose pages may call the API, each exactly as a browser sends it.',
  }),
  ADMIN_NETWORKS: list({
    default: [],
    maxItems: 64,
    itemPattern: networkPattern,
    doc: 'Addresses and networks (CIDR) from which alone administrators administer; left out, from everywhere.',
  }),
  PUBLIC_URL: text({
    default: 'http://127.0.0.1:3000',
    maxLength: 255,
    pattern: originPattern,
    doc: 'Where people reach the system: the server named in the OpenAPI document.',
  }),
  DPOP_ORIGINS: list({
    default: ['http://127.0.0.1:3000', 'http://localhost:3000'],
    maxItems: 20,
    itemPattern: originPattern,
    doc: 'Origins that a DPoP proof may name (htu): where people reach the system.',
  }),
  CONSOLE_FOLDER: text({
    default: 'console/dist',
    maxLength: 1024,
    doc: 'The built console; served when it is there.',
  }),
  DESCRIPTORS_FILE: text({
    default: 'gen/descriptors.binpb',
    maxLength: 1024,
    doc: 'The contract with its comments, for the OpenAPI document.',
  }),
  EDGE_TLS_CERT_FILE: file({
    optional: true,
    doc: 'Certificate of the edge, where no proxy ends TLS before it (PEM).',
  }),
  EDGE_TLS_KEY_FILE: file({ optional: true, doc: 'Private key of the edge (PEM).' }),
  EDGE_HEADERS_TIMEOUT_MS: durationMs({ default: 10_000, min: 100, doc: 'Longest wait for the head of a request.' }),
  EDGE_REQUEST_TIMEOUT_MS: durationMs({ default: 60_000, min: 100, doc: 'Longest wait for a whole request.' }),
  EDGE_CONNECTIONS_MAX: integer({ default: 10_000, min: 1, doc: 'Most open connections.' }),
  EDGE_STREAMS_PER_CALLER_MAX: integer({ default: 10, min: 1, doc: 'Most open streams of one person or address.' }),
  EDGE_STREAMS_MAX: integer({ default: 2_000, min: 1, doc: 'Most open streams.' }),
});

export type GatewayConfig = ConfigOf<typeof gatewayVariables>;
