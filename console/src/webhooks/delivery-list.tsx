import { useMutation, useQuery } from '@connectrpc/connect-query';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { type WebhookDelivery, WebhookDeliveryState } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { Time } from '../time/time.tsx';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Listing } from '../ui/listing.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { enumInWords } from '../ui/words.ts';

const { listDeliveries, redeliver } = PaymentsService.method;

export function DeliveryList({ endpointId }: { endpointId: string }) {
  const pages = usePages(endpointId);
  const query = useQuery(listDeliveries, { id: endpointId, pageToken: pages.pageToken });
  return (
    <Listing what="deliveries" query={query}>
      {({ deliveries, nextPageToken }) => (
        <>
          <Table
            caption="Deliveries to this address, newest first"
            columns={columns}
            rows={deliveries}
            keyOf={({ id }) => id}
            empty="Nothing has been sent yet."
          />
          <Pager pages={pages} nextPageToken={nextPageToken} />
        </>
      )}
    </Listing>
  );
}

const tones: Partial<Record<WebhookDeliveryState, Tone>> = {
  [WebhookDeliveryState.PENDING]: 'busy',
  [WebhookDeliveryState.DELIVERED]: 'good',
  [WebhookDeliveryState.FAILED]: 'bad',
};

const columns: Column<WebhookDelivery>[] = [
  { title: 'Created', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Event', cell: ({ eventType }) => <code>{eventType}</code> },
  {
    title: 'Status',
    cell: (delivery) => (
      <>
        <Badge tone={tones[delivery.state] ?? 'plain'}>{enumInWords(WebhookDeliveryState, delivery.state)}</Badge>
        {delivery.attemptCount > 0 && <p className="hint">{attemptsInWords(delivery)}</p>}
      </>
    ),
  },
  { title: 'Next attempt', cell: ({ nextAttemptTime }) => nextAttemptTime && <Time value={nextAttemptTime} /> },
  { title: 'Actions', cell: (delivery) => <RedeliverButton {...delivery} /> },
];

/** How often it was tried, and what came of the last time. */
function attemptsInWords({ attemptCount, lastStatusCode, lastError }: WebhookDelivery): string {
  const attempts = attemptCount === 1 ? '1 attempt' : `${attemptCount} attempts`;
  const answer = lastStatusCode === 0 ? '' : `, answered ${lastStatusCode}`;
  return lastError === '' ? `${attempts}${answer}` : `${attempts}${answer}: ${lastError}`;
}

function RedeliverButton({ id, webhookEndpointId }: WebhookDelivery) {
  const again = useMutation(redeliver, { onSuccess: () => invalidate(listDeliveries) });
  return (
    <>
      <button
        type="button"
        disabled={again.isPending}
        onClick={() => again.mutate({ id: webhookEndpointId, deliveryId: id })}
      >
        Send again
      </button>
      <ErrorNotice error={again.error} />
    </>
  );
}
