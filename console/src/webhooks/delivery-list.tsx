import { useMutation, useQuery } from '@connectrpc/connect-query';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { type WebhookDelivery, WebhookDeliveryState } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Listing } from '../ui/listing.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
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
            caption="Messages to this address, the newest first"
            columns={columns}
            rows={deliveries}
            keyOf={({ id }) => id}
            empty="Nothing was sent yet."
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
  { title: 'Made', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Event', cell: ({ eventType }) => <code>{eventType}</code> },
  {
    title: 'State',
    cell: ({ state, lastError }) => (
      <>
        <Badge tone={tones[state] ?? 'plain'}>{enumInWords(WebhookDeliveryState, state)}</Badge>
        {lastError !== '' && <p className="hint">{lastError}</p>}
      </>
    ),
  },
  { title: 'Attempts', isNumber: true, cell: ({ attemptCount }) => String(attemptCount) },
  {
    title: 'Answer',
    isNumber: true,
    cell: ({ lastStatusCode }) => (lastStatusCode === 0 ? '—' : String(lastStatusCode)),
  },
  { title: 'Next', cell: ({ nextAttemptTime }) => <Time value={nextAttemptTime} /> },
  { title: 'Acts', cell: (delivery) => <RedeliverButton {...delivery} /> },
];

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
