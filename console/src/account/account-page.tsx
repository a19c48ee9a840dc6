import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { User } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { Time } from '../time/time.tsx';
import { Badge } from '../ui/badge.tsx';
import { Breakable } from '../ui/breakable.tsx';
import { Facts } from '../ui/facts.tsx';
import { Flash } from '../ui/flash.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Section } from '../ui/page.tsx';
import { enumInWords } from '../ui/words.ts';
import { AccountTabs } from './account-tabs.tsx';
import { PreferencesSection } from './preferences-section.tsx';
import { ProfileSection } from './profile-section.tsx';

export function AccountPage() {
  const query = useQuery(AuthService.method.getMe);
  return (
    <Page title="Account">
      <AccountTabs />
      <Section title="You">
        <Listing what="your account" query={query}>
          {({ user }) => user !== undefined && <OwnFacts user={user} />}
        </Listing>
      </Section>
      <ProfileSection />
      <PreferencesSection />
    </Page>
  );
}

function OwnFacts({ user }: { user: User }) {
  return (
    <>
      <Facts
        facts={[
          ['Name', user.name],
          ['E-mail address', <Breakable key="email" text={user.email} />],
          ['Address confirmed', user.emailVerified ? 'Yes' : 'Not yet'],
          ['Role', enumInWords(Role, user.role)],
          [
            'Second factor',
            <Badge key="mfa" tone={user.mfaEnabled ? 'good' : 'plain'}>
              {user.mfaEnabled ? 'On' : 'Off'}
            </Badge>,
          ],
          ['Id', <Identifier key="id" id={user.id} isWhole />],
          ['Member since', <Time key="since" value={user.createTime} />],
        ]}
      />
      {!user.emailVerified && <ResendVerification />}
    </>
  );
}

function ResendVerification() {
  const resend = useMutation(AuthService.method.resendVerification);
  return (
    <>
      <button type="button" disabled={resend.isPending} onClick={() => resend.mutate({})}>
        Send the confirmation again
      </button>
      <ErrorNotice error={resend.error} />
      <Flash message={resend.isSuccess ? 'A message is on its way.' : undefined} />
    </>
  );
}
