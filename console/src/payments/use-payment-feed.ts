import { createClient } from '@connectrpc/connect';
import type { Payment } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useRef } from 'react';
import { transport } from '../api/transport.ts';
import { useWatch, type Watch } from '../watch/use-watch.ts';

const payments = createClient(PaymentsService, transport);

/** The person's payments as they change, none left out: after a break it goes on from the last one seen. */
export function usePaymentFeed(onPayment: (payment: Payment) => void): Watch {
  const lastEventId = useRef('');
  return useWatch({
    isOn: true,
    open: (signal) => payments.watchPayments({ afterEventId: lastEventId.current }, { signal }),
    onMessage({ eventId, payment }) {
      lastEventId.current = eventId;
      if (payment !== undefined) onPayment(payment);
    },
  });
}
