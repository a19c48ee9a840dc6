import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Message } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { runInRequest } from '../telemetry/index.ts';
import type { MethodPipeline } from './pipeline.ts';
import type { ServerCall } from './server-call.ts';

/** Every message that the client of a stream sends passes the request guards. */
export async function* guardRequests(
  pipeline: MethodPipeline,
  call: ServerCall,
  messages: AsyncIterable<Message>,
): AsyncIterable<Message> {
  for await (const message of messages) {
    await pipeline.check(message, call);
    yield message;
  }
}

const MESSAGES_PER_TURN = 64;

/** Passes a stream on until it ends, fails, or the call is aborted; then the use case's iterator is ended too. */
export async function* untilStreamAborted<T>(
  call: ServerCall,
  messages: AsyncIterable<T>,
  onError: (cause: unknown) => Promise<ConnectError>,
): AsyncIterable<T> {
  const iterator = messages[Symbol.asyncIterator]();
  // Not awaited: a generator that hangs in `next` would never answer, and its signal is aborted by now.
  const end = (): void => {
    iterator.return?.()?.catch(() => undefined);
  };
  const aborted = new Promise<never>((_resolve, reject) => call.onAbort(reject));
  aborted.catch(() => undefined); // raced below; an abort after the end is nobody's concern
  // Here too, because after a failed write nobody asks this generator for anything again.
  call.onAbort(end);
  try {
    for (let count = 1; ; count++) {
      // A source that always has something ready would keep the event loop from ever seeing that the caller has gone.
      if (count % MESSAGES_PER_TURN === 0) await nextTurn();
      const step = await Promise.race([runInRequest(call, () => iterator.next()), aborted]);
      if (step.done === true) return;
      yield step.value;
    }
  } catch (cause) {
    throw await onError(cause);
  } finally {
    end();
  }
}
