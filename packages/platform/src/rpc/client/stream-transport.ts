import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { checkPeerIdentity, type ServiceIdentity, secureContextOptions } from '../../identity/index.ts';
import { methodPolicy } from '../policy.ts';
import { forwardedCallKey } from './call-options.ts';

export interface StreamTransportOptions {
  readonly name: string;
  readonly url: string | URL;
  readonly identity?: ServiceIdentity | undefined;
}

export interface StreamTransport {
  readonly stream: Transport['stream'];
  close(): void;
}

const STREAMS_MAX = 1_024;

/** Streams by the stock transport. They are few and long, so what it costs to begin one doesn't matter. */
export function createStreamTransport(options: StreamTransportOptions): StreamTransport {
  const { identity } = options;
  let current = createTransport(options);
  const stopListening = identity?.onChange(() => {
    current = createTransport(options); // streams in progress keep the connection that they have
  });
  return {
    stream(method, signal, timeoutMs, header, input, contextValues) {
      const call = contextValues?.get(forwardedCallKey);
      const limitMs = methodPolicy(method).deadlineMs;
      const effectiveMs = timeoutMs === undefined ? limitMs : Math.min(timeoutMs, limitMs);
      return current.transport.stream(method, signal ?? call?.signal, effectiveMs, header, input, contextValues);
    },
    close() {
      stopListening?.();
      current.agent.destroy();
    },
  };
}

function createTransport({ name, url, identity }: StreamTransportOptions) {
  const baseUrl = new URL(url).origin;
  const isSecure = baseUrl.startsWith('https:');
  const common = { keepAlive: true, maxSockets: STREAMS_MAX };
  const agent =
    isSecure && identity !== undefined
      ? new HttpsAgent({
          ...common,
          ...secureContextOptions(identity.material()),
          checkServerIdentity: checkPeerIdentity(name),
        })
      : new HttpAgent(common);
  return { agent, transport: createConnectTransport({ baseUrl, httpVersion: '1.1', nodeOptions: { agent } }) };
}
