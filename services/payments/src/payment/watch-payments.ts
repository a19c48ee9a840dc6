import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  WatchPaymentsRequest,
  WatchPaymentsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { Signals } from '../work/signals.ts';
import { type FeedPosition, listFeed, positionBefore } from './payment-feed-store.ts';
import { paymentToProto } from './payment-proto.ts';
import { findPayment } from './payment-store.ts';

const streamsPerUserMax = 5;
const entriesPerLookMax = 100;
/** How long a revoked token may go on listening. */
const tokenCheckMs = 1_000;
const idPattern = /^(\d{1,18})-(\d{1,19})$/;

type WatchDeps = Pick<Deps, 'config' | 'database' | 'authenticator' | 'signals' | 'now' | 'streams' | 'feedHorizon'>;
type Change = MessageInitShape<typeof WatchPaymentsResponseSchema>;

/**
 * The caller's payments as they change: each change once and in order, from the event that the caller saw last. The first
 * message and every silence carry only the place to resume from.
 */
export async function* watchPayments(
  deps: WatchDeps,
  request: WatchPaymentsRequest,
  call: Call,
): AsyncIterable<Change> {
  const { userId } = requirePrincipal(call);
  const leave = enter(deps, userId);
  try {
    const { afterEventId } = request;
    let position = afterEventId === '' ? positionBefore(await deps.feedHorizon()) : parseId(afterEventId);
    yield { eventId: idOf(position) };
    let quietSinceMs = performance.now();
    let checkedMs = quietSinceMs;
    while (!call.signal.aborted) {
      const horizon = await deps.feedHorizon();
      const question = { userId, after: position, horizon, rowsMax: entriesPerLookMax };
      const entries = await listFeed(deps.database, question);
      for (const entry of entries) {
        position = entry;
        quietSinceMs = performance.now();
        const payment = await findPayment(deps.database, entry.paymentId);
        if (payment !== undefined) yield { eventId: idOf(position), payment: paymentToProto(payment) };
      }
      if (performance.now() - checkedMs >= tokenCheckMs) {
        await requireStillSignedIn(deps, call);
        checkedMs = performance.now();
      }
      if (entries.length === entriesPerLookMax) continue;
      if (performance.now() - quietSinceMs >= deps.config.WATCH_KEEP_ALIVE_MS) {
        quietSinceMs = performance.now();
        yield { eventId: idOf(position) };
      }
      await nextLook(deps, call.signal);
    }
  } finally {
    leave();
  }
}

function enter({ config, streams }: WatchDeps, userId: string): () => void {
  const own = streams.byUser.get(userId) ?? 0;
  if (own >= streamsPerUserMax || streams.total >= config.WATCH_STREAMS_MAX) throw errors.LIMIT_REACHED();
  streams.byUser.set(userId, own + 1);
  streams.total += 1;
  return () => {
    streams.total -= 1;
    const left = (streams.byUser.get(userId) ?? 1) - 1;
    if (left === 0) streams.byUser.delete(userId);
    else streams.byUser.set(userId, left);
  };
}

/** A stream outlives the moment in which its token was checked: it ends when the token is revoked or has expired. */
async function requireStillSignedIn({ authenticator }: WatchDeps, { accessToken }: Call): Promise<void> {
  if (accessToken === undefined) throw commonErrors.UNAUTHENTICATED();
  await authenticator.authenticate(accessToken);
}

/** Until something has changed here, or it is time to look what others have changed. */
function nextLook(
  { config, signals }: { config: Deps['config']; signals: Signals },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, config.WATCH_POLL_MS);
    const stop = signals.on('payment-changed', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

function idOf({ transactionId, sequence }: FeedPosition): string {
  return `${transactionId}-${sequence}`;
}

function parseId(eventId: string): FeedPosition {
  const [, transactionId, sequence] = idPattern.exec(eventId) ?? [];
  if (transactionId === undefined || sequence === undefined) {
    throw commonErrors.VALIDATION_FAILED({
      violations: [{ field: 'after_event_id', rule: 'watch.event_id', message: 'is no id of an event' }],
    });
  }
  return { transactionId, sequence };
}
