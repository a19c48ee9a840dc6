import { useMutation, useQuery } from '@connectrpc/connect-query';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import type { WebhookEndpoint } from '@strongroom/gen/strongroom/payments/v1/webhook_pb.ts';
import { Link } from 'wouter';
import { invalidate } from '../api/invalidate.ts';
import { useAttemptKey } from '../payments/use-attempt-key.ts';
import { Time } from '../time/time.tsx';
import { Badge } from '../ui/badge.tsx';
import { Breakable } from '../ui/breakable.tsx';
import { Checkbox, Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { eventTypes, eventTypesInWords } from './event-types.ts';
import { SecretNotice } from './secret-notice.tsx';

const { createWebhookEndpoint, listWebhookEndpoints } = PaymentsService.method;

export function WebhooksPage() {
  const pages = usePages('');
  const query = useQuery(listWebhookEndpoints, { pageToken: pages.pageToken });
  return (
    <Page title="Webhooks">
      <Listing what="webhooks" query={query}>
        {({ webhookEndpoints, nextPageToken }) => (
          <>
            <Table
              caption="Addresses that are sent your payments’ events"
              columns={columns}
              rows={webhookEndpoints}
              keyOf={({ id }) => id}
              empty="No webhooks yet. Add an address below, and your server is told of each payment."
            />
            <Pager pages={pages} nextPageToken={nextPageToken} />
          </>
        )}
      </Listing>
      <AddEndpoint />
    </Page>
  );
}

const columns: Column<WebhookEndpoint>[] = [
  {
    title: 'Address',
    isLong: true,
    cell: ({ id, url }) => (
      <Link href={`/webhooks/${id}`}>
        <Breakable text={url} />
      </Link>
    ),
  },
  { title: 'Events', cell: (endpoint) => eventTypesInWords(endpoint.eventTypes) },
  { title: 'Status', cell: ({ enabled }) => <Badge tone={enabled ? 'good' : 'bad'}>{enabled ? 'On' : 'Off'}</Badge> },
  { title: 'Added', cell: ({ createTime }) => <Time value={createTime} /> },
];

function AddEndpoint() {
  const create = useMutation(createWebhookEndpoint, { onSuccess: () => invalidate(listWebhookEndpoints) });
  const keyOf = useAttemptKey();
  const submit = (values: FormValues, form: HTMLFormElement) => {
    const content = { url: values.text('url').trim(), eventTypes: eventTypes.filter(values.isChecked) };
    create.mutate({ ...content, requestId: keyOf(JSON.stringify(content)) }, { onSuccess: () => form.reset() });
  };
  return (
    <Section title="Add an address">
      {create.data !== undefined && <SecretNotice secret={create.data.secret} onSeen={create.reset} />}
      <Form submitLabel="Add" isPending={create.isPending} error={create.error} onSubmit={submit}>
        <Field
          name="url"
          label="Address"
          type="url"
          placeholder="https://"
          autoComplete="off"
          required
          maxLength={2048}
        />
        <fieldset>
          <legend>Events to send (all, if none is chosen)</legend>
          {eventTypes.map((type) => (
            <Checkbox key={type} name={type} label={type} />
          ))}
        </fieldset>
      </Form>
    </Section>
  );
}
