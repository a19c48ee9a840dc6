import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ReceivePspWebhookRequest,
  ReceivePspWebhookResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { type Act, serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findPayment, lockPayment } from '../payment/payment-store.ts';
import { PspMessageError, type PspNotification, PspSignatureError } from '../psp/psp.ts';
import { applyNotification, findTarget, notificationSettlement } from './apply-notification.ts';
import { takeEvent } from './psp-webhook-store.ts';

/** Rejections that are recorded in a minute; all are counted and logged. Anyone can send us rubbish. */
const recordedRejectionsMax = 60;
const recordedWindowMs = 60_000;

let windowStartMs = 0;
let recordedCount = 0;

/** Signature → once by its id → payment, ledger, event in one transaction. Late and repeated messages are 200 (F16–F18). */
export async function receivePspWebhook(
  deps: Deps,
  request: ReceivePspWebhookRequest,
  call: Call,
): Promise<MessageInitShape<typeof ReceivePspWebhookResponseSchema>> {
  const notification = await readNotification(deps, request, call);
  const act = pspAct(call);
  const applied = (await settleAtOnce(deps, act, notification)) || (await applyUnderLock(deps, act, notification));
  await failpoint('payments.webhook.after-commit');
  deps.metrics.increment('webhooks_received_total', { outcome: applied ? 'applied' : 'ignored' });
  if (applied) {
    deps.signals.raise('payment-changed');
    deps.signals.raise('webhook-delivery');
  }
  return { applied };
}

/** Without a lock, in a statement that it shares with others. False where there is more to say than that all went well. */
async function settleAtOnce(deps: Deps, act: Act, notification: PspNotification): Promise<boolean> {
  const target = await findTarget(deps.database, notification, findPayment);
  const settlement = notificationSettlement(act, notification, target);
  if (settlement === undefined) return false;
  await failpoint('payments.webhook.before-commit');
  return deps.writeSettlement(settlement);
}

async function applyUnderLock(deps: Deps, act: Act, notification: PspNotification): Promise<boolean> {
  return deps.database.transaction(act, async (tx) => {
    // First the payment, then the message, in the order of the statement above: no two wait for each other.
    const target = await findTarget(tx, notification, lockPayment);
    if (!(await takeEvent(tx, notification))) return false;
    const isApplied = await applyNotification(tx, act, notification, target);
    await failpoint('payments.webhook.before-commit');
    return isApplied;
  });
}

async function readNotification(deps: Deps, request: ReceivePspWebhookRequest, call: Call): Promise<PspNotification> {
  try {
    return deps.psp.readWebhook({ body: request.payload?.data ?? new Uint8Array(), headers: call.requestHeader });
  } catch (error) {
    const isSignature = error instanceof PspSignatureError;
    if (!isSignature && !(error instanceof PspMessageError)) throw error;
    deps.metrics.increment('webhooks_received_total', { outcome: isSignature ? 'signature' : 'malformed' });
    await recordRejection(deps, call, isSignature ? 'signature' : 'malformed');
    throw isSignature ? errors.WEBHOOK_SIGNATURE_INVALID({ cause: error }) : errors.WEBHOOK_MALFORMED({ cause: error });
  }
}

async function recordRejection(deps: Deps, call: Call, reason: string): Promise<void> {
  const nowMs = performance.now();
  if (nowMs - windowStartMs > recordedWindowMs) {
    windowStartMs = nowMs;
    recordedCount = 0;
  }
  recordedCount += 1;
  deps.logger.warn({ reason, ipAddress: call.ipAddress }, 'a webhook was rejected');
  if (recordedCount > recordedRejectionsMax) return;
  const act = actOf(call);
  await deps.database.transaction(act, (tx) =>
    appendEvent(tx, act, { action: 'WEBHOOK_REJECTED', resourceType: 'payment', resourceId: '', details: { reason } }),
  );
}

/** The provider acts, known by its signature; where it calls from is kept. */
function pspAct(call: Call): Act {
  const { requestId, traceId, ipAddress, userAgent } = call;
  return serviceAct('psp', { requestId, traceId, ipAddress, userAgent });
}
