import { PaymentStatus } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { enumInWords } from '../ui/words.ts';

const tones: Partial<Record<PaymentStatus, Tone>> = {
  [PaymentStatus.PENDING]: 'busy',
  [PaymentStatus.PROCESSING]: 'busy',
  [PaymentStatus.COMPLETED]: 'good',
  [PaymentStatus.FAILED]: 'bad',
};

export function StatusBadge({ status }: { status: PaymentStatus }) {
  return <Badge tone={tones[status] ?? 'plain'}>{enumInWords(PaymentStatus, status)}</Badge>;
}
