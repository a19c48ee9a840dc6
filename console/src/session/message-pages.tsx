// The pages that the links of messages lead to. Each takes its token from the link, or typed in from the message.
import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { plainTransport } from '../api/plain-transport.ts';
import { useMessageToken } from '../app/use-message-token.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Page } from '../ui/page.tsx';
import { NewPasswordField } from './new-password-field.tsx';

const auth = createClient(AuthService, plainTransport);

export function VerifyEmailPage() {
  return (
    <MessagePage
      title="Confirm your address"
      submitLabel="Confirm"
      done="The address is confirmed. You can sign in."
      send={(token, values) => auth.verifyEmail({ token, password: values.optional('password') })}
    >
      <Field
        name="password"
        label="Your password"
        type="password"
        autoComplete="current-password"
        hint="Shows that it was you who registered. Not yours? Reset it, and the account is yours."
      />
    </MessagePage>
  );
}

export function PasswordResetPage() {
  return <PasswordPage title="Set a new password" done="The password is set. Sign in with it." />;
}

export function InvitationPage() {
  return <PasswordPage title="Choose your password" done="Your account is ready. Sign in with your password." />;
}

function PasswordPage({ title, done }: { title: string; done: string }) {
  return (
    <MessagePage
      title={title}
      submitLabel="Set the password"
      done={done}
      send={(token, values) => auth.resetPassword({ token, newPassword: values.text('new_password') })}
    >
      <NewPasswordField name="new_password" />
    </MessagePage>
  );
}

interface MessagePageProps {
  readonly title: string;
  readonly submitLabel: string;
  readonly done: string;
  readonly children: ReactNode;
  send(token: string, values: FormValues): Promise<unknown>;
}

function MessagePage({ title, submitLabel, done, children, send }: MessagePageProps) {
  const [token, setToken] = useMessageToken();
  const sending = useMutation({ mutationFn: (values: FormValues) => send(token.trim(), values) });
  return (
    <Page title={title}>
      {sending.isSuccess ? (
        <Flash message={done} />
      ) : (
        <Form
          submitLabel={submitLabel}
          isPending={sending.isPending}
          error={sending.error}
          onSubmit={(values) => sending.mutate(values)}
        >
          <Field
            name="token"
            label="Token from the message"
            value={token}
            onChange={(event) => setToken(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            required
            maxLength={512}
          />
          {children}
        </Form>
      )}
      <p className="links">
        <Link href="/sign-in">Sign in</Link>
      </p>
    </Page>
  );
}
