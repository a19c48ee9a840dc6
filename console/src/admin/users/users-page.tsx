import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { type User, UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Breakable } from '../../ui/breakable.tsx';
import { EnumChoice } from '../../ui/enum-choice.tsx';
import { Field } from '../../ui/field.tsx';
import { FilterForm } from '../../ui/filter-form.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { enumInWords } from '../../ui/words.ts';
import { InviteUser } from './invite-user.tsx';
import { personRoles, personStatuses } from './user-choices.ts';

interface Filter {
  readonly search?: string;
  readonly role?: Role;
  readonly status?: UserStatus;
}

export function UsersPage() {
  const [filter, setFilter] = useState<Filter>({});
  const pages = usePages(JSON.stringify(filter));
  const query = useQuery(
    AdminService.method.listUsers,
    { ...filter, pageToken: pages.pageToken, pageSize: 20, orderBy: 'create_time desc' },
    { placeholderData: keepPreviousData },
  );
  return (
    <Page title="Users">
      <FilterForm
        label="Which users"
        onFilter={(values) =>
          setFilter({
            search: values.optional('search'),
            role: values.choice(Role, 'role'),
            status: values.choice(UserStatus, 'status'),
          })
        }
      >
        <Field name="search" label="Name or e-mail address" type="search" autoComplete="off" maxLength={255} />
        <EnumChoice name="role" label="Role" values={personRoles} none="All" />
        <EnumChoice name="status" label="Status" values={personStatuses} none="All" />
      </FilterForm>
      <Listing what="users" query={query}>
        {({ users, nextPageToken }) => (
          <>
            <Table
              caption="Accounts, newest first"
              columns={columns}
              rows={users}
              keyOf={({ id }) => id}
              empty="There are no such accounts."
            />
            <Pager pages={pages} nextPageToken={nextPageToken} />
          </>
        )}
      </Listing>
      <Section title="Invite somebody">
        <InviteUser />
      </Section>
    </Page>
  );
}

const columns: Column<User>[] = [
  { title: 'Name', cell: ({ id, name }) => <Link href={`/admin/users/${id}`}>{name || 'Erased'}</Link> },
  { title: 'E-mail address', isLong: true, cell: ({ email }) => email && <Breakable text={email} /> },
  { title: 'Role', cell: ({ role }) => enumInWords(Role, role) },
  {
    title: 'Status',
    cell: ({ status }) => (
      <Badge tone={status === UserStatus.ACTIVE ? 'good' : 'bad'}>{enumInWords(UserStatus, status)}</Badge>
    ),
  },
  { title: 'Second factor', cell: ({ mfaEnabled }) => (mfaEnabled ? 'On' : 'Off') },
  { title: 'Created', cell: ({ createTime }) => <Time value={createTime} /> },
];
