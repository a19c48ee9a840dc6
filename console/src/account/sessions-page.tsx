import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { Session } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { closeSession } from '../session/session-store.ts';
import { Time } from '../time/time.tsx';
import { Badge } from '../ui/badge.tsx';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Pager } from '../ui/pager.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { usePages } from '../ui/use-pages.ts';
import { AccountTabs } from './account-tabs.tsx';
import { browserOf } from './browser-of.ts';

const { listSessions, revokeSession, revokeOtherSessions, logoutAll } = AuthService.method;

export function SessionsPage() {
  const pages = usePages('');
  const query = useQuery(listSessions, { pageToken: pages.pageToken });
  return (
    <Page title="Sessions">
      <AccountTabs />
      <Section title="Where you are signed in" actions={<EndButtons />}>
        <Listing what="sessions" query={query}>
          {({ sessions, nextPageToken }) => (
            <>
              <Table
                caption="Your sessions, last used first"
                columns={columns}
                rows={sessions}
                keyOf={({ id }) => id}
                empty="No sessions."
              />
              <Pager pages={pages} nextPageToken={nextPageToken} />
            </>
          )}
        </Listing>
      </Section>
    </Page>
  );
}

function EndButtons() {
  const others = useMutation(revokeOtherSessions, { onSuccess: () => invalidate(listSessions) });
  const all = useMutation(logoutAll, { onSuccess: () => closeSession('All your sessions have ended.') });
  return (
    <>
      <ConfirmButton
        label="End all others"
        title="End all other sessions"
        confirmLabel="End them"
        act={() => others.mutateAsync({})}
      >
        <p>Every other browser and program of yours must sign in again.</p>
      </ConfirmButton>
      <ConfirmButton label="End all" title="End all sessions" confirmLabel="End them" act={() => all.mutateAsync({})}>
        <p>Every browser and program of yours must sign in again, this one too.</p>
      </ConfirmButton>
    </>
  );
}

/** RFC 8176, in words. */
const methods: Readonly<Record<string, string>> = { pwd: 'Password', otp: 'Code', hwk: 'Passkey', mfa: 'Two factors' };

const columns: Column<Session>[] = [
  {
    title: 'Device',
    cell: ({ userAgent, current }) => (
      <>
        <span title={userAgent}>{browserOf(userAgent)}</span> {current && <Badge tone="good">This one</Badge>}
      </>
    ),
  },
  { title: 'IP address', cell: ({ ipAddress }) => <code>{ipAddress}</code> },
  {
    title: 'Signed in by',
    cell: ({ authenticationMethods }) => authenticationMethods.map((method) => methods[method] ?? method).join(', '),
  },
  { title: 'Signed in', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Last used', cell: ({ lastUsedTime }) => <Time value={lastUsedTime} /> },
  { title: 'Actions', cell: ({ id, current }) => (current ? undefined : <RevokeButton id={id} />) },
];

function RevokeButton({ id }: { id: string }) {
  const revoke = useMutation(revokeSession, { onSuccess: () => invalidate(listSessions) });
  return (
    <ConfirmButton label="End" title="End this session" confirmLabel="End it" act={() => revoke.mutateAsync({ id })}>
      <p>Whoever uses it must sign in again, at once.</p>
    </ConfirmButton>
  );
}
