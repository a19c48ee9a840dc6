import { createClient } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { readServiceError } from '../errors/service-error.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Listing } from '../ui/listing.tsx';
import { answerWithPasskey, canUsePasskeys } from './passkey.ts';
import { replaceAccessToken } from './session-store.ts';
import { type StepUpRequest, useStepUpRequest } from './step-up-request.ts';

const auth = createClient(AuthService, transport);

type Proof = { readonly code: string } | { readonly password: string } | { readonly passkeyResponseJson: string };

/** Asks the person to prove presence again; whatever needed it goes on by itself. */
export function StepUpDialog() {
  const request = useStepUpRequest();
  return request === undefined ? null : <OpenStepUpDialog request={request} />;
}

function OpenStepUpDialog({ request }: { request: StepUpRequest }) {
  const status = useQuery(AuthService.method.getMfaStatus);
  const stepUp = useMutation({
    mutationFn: async (find: () => Proof | Promise<Proof>) => {
      const { accessToken, expiresIn } = await auth.stepUp(await find());
      replaceAccessToken(accessToken, expiresIn);
      request.settle(true);
    },
  });
  const giveUp = () => request.settle(false);
  const cancel = (
    <button type="button" onClick={giveUp}>
      Back
    </button>
  );
  return (
    <Dialog title="Confirm it’s you" onClose={giveUp}>
      <p>This needs a fresh proof of who you are, even though you are signed in.</p>
      <Listing what="how you can prove it" query={status}>
        {({ enabled, totp, passkeys }) => (
          <>
            {(totp || !enabled) && (
              <Form
                submitLabel="Continue"
                isPending={stepUp.isPending}
                error={stepUp.error}
                actions={cancel}
                onSubmit={(values) => stepUp.mutate(() => proofOf(values, totp))}
              >
                {totp ? <CodeField /> : <PasswordField />}
              </Form>
            )}
            {passkeys.length > 0 && canUsePasskeys() && (
              <button
                type="button"
                className="wide"
                disabled={stepUp.isPending}
                onClick={() => stepUp.mutate(findPasskeyProof)}
              >
                Use a passkey
              </button>
            )}
            {enabled && !totp && (
              <>
                <ErrorNotice error={stepUp.error} />
                {cancel}
              </>
            )}
          </>
        )}
      </Listing>
    </Dialog>
  );
}

function CodeField() {
  return (
    <Field
      name="code"
      label="Code from your authenticator"
      inputMode="numeric"
      autoComplete="one-time-code"
      pattern="[0-9]{6}"
      maxLength={6}
      required
      autoFocus
    />
  );
}

function PasswordField() {
  return <Field name="password" label="Password" type="password" autoComplete="current-password" required autoFocus />;
}

function proofOf(values: FormValues, isCode: boolean): Proof {
  return isCode ? { code: values.text('code').trim() } : { password: values.text('password') };
}

/** The challenge for a passkey comes with the refusal of a step-up that proves nothing. */
async function findPasskeyProof(): Promise<Proof> {
  try {
    await auth.stepUp({});
  } catch (error) {
    const options = readServiceError(error).metadata['passkeyOptionsJson'];
    if (options === undefined) throw error;
    return { passkeyResponseJson: await answerWithPasskey(options) };
  }
  throw new Error('a step-up without a proof was accepted');
}
