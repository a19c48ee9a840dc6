import { useMutation, useQuery } from '@connectrpc/connect-query';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import type { WebhookEndpoint } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { useState } from 'react';
import { useLocation, useParams } from 'wouter';
import { invalidate } from '../api/invalidate.ts';
import { Time } from '../time/time.tsx';
import { Badge } from '../ui/badge.tsx';
import { Breakable } from '../ui/breakable.tsx';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Facts } from '../ui/facts.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { DeliveryList } from './delivery-list.tsx';
import { eventTypesInWords } from './event-types.ts';
import { SecretNotice } from './secret-notice.tsx';

const { deleteWebhookEndpoint, listWebhookEndpoints, rotateSecret } = PaymentsService.method;

export function WebhookPage() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useQuery(listWebhookEndpoints, { pageSize: 100 });
  return (
    <Page title="Webhook">
      <Listing what="the webhook" query={query}>
        {({ webhookEndpoints }) => {
          const endpoint = webhookEndpoints.find((one) => one.id === id);
          return endpoint === undefined ? (
            <p className="empty">There is no such webhook.</p>
          ) : (
            <Endpoint {...endpoint} />
          );
        }}
      </Listing>
      <Section title="Deliveries">
        <DeliveryList endpointId={id} />
      </Section>
    </Page>
  );
}

function Endpoint({ id, url, eventTypes, enabled, createTime }: WebhookEndpoint) {
  return (
    <Section
      title={<Breakable text={url} />}
      actions={<Badge tone={enabled ? 'good' : 'bad'}>{enabled ? 'On' : 'Off'}</Badge>}
    >
      <Facts
        facts={[
          ['Events', eventTypesInWords(eventTypes)],
          ['Id', <Identifier key="id" id={id} isWhole />],
          ['Added', <Time key="added" value={createTime} />],
        ]}
      />
      <EndpointActs id={id} />
    </Section>
  );
}

function EndpointActs({ id }: { id: string }) {
  const [, navigate] = useLocation();
  const [secret, setSecret] = useState<string>();
  const rotate = useMutation(rotateSecret);
  const remove = useMutation(deleteWebhookEndpoint);
  return (
    <>
      {secret !== undefined && <SecretNotice secret={secret} onSeen={() => setSecret(undefined)} />}
      <div className="actions">
        <ConfirmButton
          label="New secret"
          title="Create a new signing secret"
          confirmLabel="Create secret"
          isDangerous={false}
          act={async () => setSecret((await rotate.mutateAsync({ id })).secret)}
        >
          <p>For 24 hours messages carry both signatures, so that your server can change over.</p>
        </ConfirmButton>
        <ConfirmButton
          label="Delete"
          title="Delete this webhook"
          confirmLabel="Delete"
          act={async () => {
            await remove.mutateAsync({ id });
            await invalidate(listWebhookEndpoints);
            navigate('/webhooks');
          }}
        >
          <p>Nothing more is sent to this address, and deliveries that still wait are dropped.</p>
        </ConfirmButton>
      </div>
    </>
  );
}
