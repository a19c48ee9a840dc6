import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { ServerCall } from './server-call.ts';

export function explainProtocolErrors(answer: UniversalServerResponse, _call: ServerCall): UniversalServerResponse {
  return answer;
}
