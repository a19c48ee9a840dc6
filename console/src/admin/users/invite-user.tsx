import { useMutation } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { EnumChoice } from '../../ui/enum-choice.tsx';
import { Field } from '../../ui/field.tsx';
import { Flash } from '../../ui/flash.tsx';
import { Form } from '../../ui/form.tsx';
import { personRoles } from './user-choices.ts';

/** The person sets the password by a message; nobody else ever knows it. */
export function InviteUser() {
  const create = useMutation(AdminService.method.createUser, {
    onSuccess: () => invalidate(AdminService.method.listUsers),
  });
  return (
    <>
      <Form
        submitLabel="Invite"
        isPending={create.isPending}
        error={create.error}
        onSubmit={(values, form) =>
          create.mutate(
            { name: values.text('name'), email: values.text('email'), role: values.choice(personRoles, 'role') },
            { onSuccess: () => form.reset() },
          )
        }
      >
        <div className="columns">
          <Field name="name" label="Name" autoComplete="off" required maxLength={255} />
          <Field name="email" label="E-mail address" type="email" autoComplete="off" required maxLength={255} />
          <EnumChoice name="role" label="Role" values={personRoles} defaultValue={Role.CUSTOMER} />
        </div>
      </Form>
      <Flash message={create.isSuccess ? 'Invited. A message is on its way.' : undefined} />
    </>
  );
}
