import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { MfaChallenge } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { plainTransport } from '../api/plain-transport.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Page } from '../ui/page.tsx';
import { withCaptcha } from './captcha.ts';
import { keepDeviceToken, readDeviceToken } from './device-token.ts';
import { PasskeySignIn } from './passkey-sign-in.tsx';
import { SecondFactorForm } from './second-factor-form.tsx';
import { openSession } from './session-store.ts';

const auth = createClient(AuthService, plainTransport);

/** The password, or a passkey alone; then the second factor, where there is one. */
export function SignInPage({ notice }: { notice: string | undefined }) {
  const [challenge, setChallenge] = useState<MfaChallenge>();
  const login = useMutation({
    mutationFn: async (values: FormValues) => {
      const credentials = {
        email: values.text('email'),
        password: values.text('password'),
        deviceToken: readDeviceToken(),
      };
      const answer = await withCaptcha((captcha) => auth.login({ ...credentials, captcha }));
      keepDeviceToken(answer.deviceToken);
      if (answer.tokens !== undefined) openSession(answer.tokens);
      else setChallenge(answer.mfaChallenge);
    },
  });
  if (challenge !== undefined) {
    return <SecondFactorForm challenge={challenge} onGiveUp={() => setChallenge(undefined)} />;
  }
  return (
    <Page title="Sign in">
      {notice !== undefined && (
        <p className="notice" role="status">
          {notice}
        </p>
      )}
      <Form
        submitLabel="Sign in"
        isPending={login.isPending}
        error={login.error}
        onSubmit={(values) => login.mutate(values)}
      >
        <Field name="email" label="E-mail address" type="email" autoComplete="username" required maxLength={255} />
        <Field name="password" label="Password" type="password" autoComplete="current-password" required />
      </Form>
      <PasskeySignIn />
      <p className="links">
        <Link href="/forgotten-password">Forgotten password?</Link>
        <Link href="/register">Create an account</Link>
      </p>
    </Page>
  );
}
