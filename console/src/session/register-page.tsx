import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { Link } from 'wouter';
import { plainTransport } from '../api/plain-transport.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Page } from '../ui/page.tsx';
import { withCaptcha } from './captcha.ts';
import { NewPasswordField } from './new-password-field.tsx';
import { openSession } from './session-store.ts';

const auth = createClient(AuthService, plainTransport);

/** Signs in at once, or says that a message is on its way, as the server is set. */
export function RegisterPage() {
  const register = useMutation({
    mutationFn: async (values: FormValues) => {
      const person = { name: values.text('name'), email: values.text('email'), password: values.text('password') };
      const { tokens } = await withCaptcha((captcha) => auth.register({ ...person, captcha }));
      if (tokens !== undefined) openSession(tokens);
    },
  });
  return (
    <Page title="Create an account">
      {register.isSuccess ? (
        <Flash message="A message is on its way to this address. Open its link to confirm the address." />
      ) : (
        <Form
          submitLabel="Create account"
          isPending={register.isPending}
          error={register.error}
          onSubmit={(values) => register.mutate(values)}
        >
          <Field name="name" label="Name" autoComplete="name" required maxLength={255} />
          <Field name="email" label="E-mail address" type="email" autoComplete="username" required maxLength={255} />
          <NewPasswordField name="password" label="Password" />
        </Form>
      )}
      <p className="links">
        <Link href="/sign-in">I already have an account</Link>
      </p>
    </Page>
  );
}
