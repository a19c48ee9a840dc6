import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { invalidate } from '../api/invalidate.ts';
import { transport } from '../api/transport.ts';
import { NewPasswordField } from '../session/new-password-field.tsx';
import { renewSession } from '../session/renew-session.ts';
import { currentSession } from '../session/session-store.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';

const auth = createClient(AuthService, transport);

/** Ends every other session. This one gets new tokens, in which the change is no longer asked for. */
export function ChangePasswordForm() {
  const change = useMutation({
    mutationFn: async (passwords: { currentPassword: string; newPassword: string }) => {
      await auth.changePassword({ ...passwords, keepSession: true });
      await renewSession(currentSession()?.accessToken);
      await invalidate(AuthService.method.getMe, AuthService.method.listSessions);
    },
  });
  return (
    <>
      <Form
        submitLabel="Change the password"
        isPending={change.isPending}
        error={change.error}
        onSubmit={(values, form) =>
          change.mutate(
            { currentPassword: values.text('current_password'), newPassword: values.text('new_password') },
            { onSuccess: () => form.reset() },
          )
        }
      >
        <Field
          name="current_password"
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
        />
        <NewPasswordField name="new_password" />
      </Form>
      <Flash message={change.isSuccess ? 'The password is changed, and every other session has ended.' : undefined} />
    </>
  );
}
