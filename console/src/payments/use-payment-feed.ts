import { createClient } from '@connectrpc/connect';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useEffect, useRef } from 'react';
import { invalidate } from '../api/invalidate.ts';
import { transport } from '../api/transport.ts';
import { useWatch, type Watch } from '../watch/use-watch.ts';

const payments = createClient(PaymentsService, transport);
const { getPayment, listPayments } = PaymentsService.method;

/** The person's payments as they change, none left out: after a break it goes on from the last one seen. */
export function usePaymentFeed(onPayment: (payment: Payment) => void): Watch {
  const lastEventId = useRef('');
  const watch = useWatch({
    isOn: true,
    open: (signal) => payments.watchPayments({ afterEventId: lastEventId.current }, { signal }),
    onMessage({ eventId, payment }) {
      lastEventId.current = eventId;
      if (payment !== undefined) onPayment(payment);
    },
  });
  const isLive = watch.state === 'live';
  // What changed between the first reading and the opening of the stream comes by neither of them.
  useEffect(() => {
    if (isLive) void invalidate(getPayment, listPayments);
  }, [isLive]);
  return watch;
}
