import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { type User, UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { useLocation, useParams } from 'wouter';
import { invalidate } from '../../api/invalidate.ts';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Breakable } from '../../ui/breakable.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { EnumChoice } from '../../ui/enum-choice.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Identifier } from '../../ui/identifier.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { enumInWords } from '../../ui/words.ts';
import { LockoutState } from '../lockouts/lockout-state.tsx';
import { ReasonField } from '../reason-field.tsx';
import { LegalHold } from './legal-hold.tsx';
import { personRoles } from './user-choices.ts';

const { getUser, listUsers, setUserRole, setUserStatus, revokeUserSessions, deleteUser } = AdminService.method;
const refreshed = () => invalidate(getUser, listUsers);

export function UserPage() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useQuery(getUser, { id });
  return (
    <Page title="User">
      <Listing what="the user" query={query}>
        {({ user }) => user !== undefined && <UserDetails user={user} />}
      </Listing>
    </Page>
  );
}

function UserDetails({ user }: { user: User }) {
  const { status } = user;
  return (
    <>
      <Section
        title={user.name || 'Erased'}
        actions={<Badge tone={status === UserStatus.ACTIVE ? 'good' : 'bad'}>{enumInWords(UserStatus, status)}</Badge>}
      >
        <Facts
          facts={[
            ['E-mail address', user.email && <Breakable key="email" text={user.email} />],
            ['Address confirmed', user.emailVerified ? 'Yes' : 'Not yet'],
            ['Role', enumInWords(Role, user.role)],
            ['Second factor', user.mfaEnabled ? 'On' : 'Off'],
            ['Id', <Identifier key="id" id={user.id} isWhole />],
            ['Created', <Time key="created" value={user.createTime} />],
            ['Last changed', <Time key="changed" value={user.updateTime} />],
          ]}
        />
        {status !== UserStatus.DELETED && <UserActs user={user} />}
      </Section>
      {status !== UserStatus.DELETED && <LegalHold userId={user.id} />}
      {user.email !== '' && (
        <Section title="Lockout">
          <LockoutState email={user.email} />
        </Section>
      )}
    </>
  );
}

function UserActs({ user: { id, role, status } }: { user: User }) {
  const [, navigate] = useLocation();
  const changeRole = useMutation(setUserRole, { onSuccess: refreshed });
  const changeStatus = useMutation(setUserStatus, { onSuccess: refreshed });
  const revoke = useMutation(revokeUserSessions);
  const erase = useMutation(deleteUser);
  const isActive = status === UserStatus.ACTIVE;
  const next = isActive ? UserStatus.SUSPENDED : UserStatus.ACTIVE;
  return (
    <div className="actions">
      <ConfirmButton
        label="Change role"
        title="Change the role"
        confirmLabel="Change role"
        isDangerous={false}
        act={(values) =>
          changeRole.mutateAsync({ id, role: values.choice(personRoles, 'role'), reason: values.text('reason') })
        }
      >
        <p>All sessions of this person end.</p>
        <EnumChoice name="role" label="Role" values={personRoles} defaultValue={role} />
        <ReasonField />
      </ConfirmButton>
      <ConfirmButton
        label={isActive ? 'Suspend' : 'Activate'}
        title={isActive ? 'Suspend this account' : 'Activate this account'}
        confirmLabel={isActive ? 'Suspend' : 'Activate'}
        isDangerous={isActive}
        act={(values) => changeStatus.mutateAsync({ id, status: next, reason: values.text('reason') })}
      >
        <p>
          {isActive
            ? 'All sessions end, and nobody can sign in to it until it is activated.'
            : 'It can be signed in to again.'}
        </p>
        <ReasonField />
      </ConfirmButton>
      <ConfirmButton
        label="End sessions"
        title="End all sessions"
        confirmLabel="End sessions"
        act={() => revoke.mutateAsync({ id })}
      >
        <p>This person must sign in again everywhere.</p>
      </ConfirmButton>
      <ConfirmButton
        label="Erase"
        title="Erase this account"
        confirmLabel="Erase permanently"
        act={async (values) => {
          await erase.mutateAsync({ id, reason: values.text('reason') });
          await refreshed();
          navigate('/admin/users');
        }}
      >
        <p>
          Name, address and everything personal are erased; the audit log keeps what was done, without whose it was.
          This can’t be undone.
        </p>
        <ReasonField />
      </ConfirmButton>
    </div>
  );
}
