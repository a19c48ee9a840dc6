export { createTestClock, type TestClock } from './clock.ts';
export {
  connectNats,
  createTestDatabase,
  createTestNats,
  createTestRedis,
  openSql,
  type TestDatabase,
  type TestNats,
  type TestRedis,
  testEngines,
} from './engines.ts';
export { createFaultProxy, type FaultProxy } from './fault-proxy.ts';
export { forgeTokens, respell, type TokenModel } from './forged-tokens.ts';
export { createJsonClient, type JsonAnswer, type JsonClient } from './http.ts';
export { createOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';
export { createPrivateEngine, type PrivateEngine } from './private-engines.ts';
export { type LogLine, spawnProcess, type TestProcess } from './process.ts';
export { createProofKey, type ProofKey, type ProofParts } from './proofs.ts';
export { compareSchema, findSchemaDrift, readDatabase } from './schema-drift.ts';
export { createTlsFront, type EngineProtocol, type TlsFront } from './tls-front.ts';
export { createTestTokens, type TestToken, type TestTokens } from './tokens.ts';
export { until } from './wait.ts';
