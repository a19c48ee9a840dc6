import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { Link } from 'wouter';
import { plainTransport } from '../api/plain-transport.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import { Page } from '../ui/page.tsx';
import { withCaptcha } from './captcha.ts';

const auth = createClient(AuthService, plainTransport);

export function ForgottenPasswordPage() {
  const request = useMutation({
    mutationFn: (email: string) => withCaptcha((captcha) => auth.requestPasswordReset({ email, captcha })),
  });
  return (
    <Page title="Forgotten password">
      {request.isSuccess ? (
        <Flash message="If the address has an account, a message with a link is on its way." />
      ) : (
        <Form
          submitLabel="Send the message"
          isPending={request.isPending}
          error={request.error}
          onSubmit={(values) => request.mutate(values.text('email'))}
        >
          <Field name="email" label="E-mail address" type="email" autoComplete="username" required maxLength={255} />
        </Form>
      )}
      <p className="links">
        <Link href="/password-reset">I have a token</Link>
        <Link href="/sign-in">Sign in</Link>
      </p>
    </Page>
  );
}
