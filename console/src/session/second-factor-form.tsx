import { createClient } from '@connectrpc/connect';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { MfaChallenge } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { plainTransport } from '../api/plain-transport.ts';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Page } from '../ui/page.tsx';
import { keepDeviceToken } from './device-token.ts';
import { LostSecondFactor } from './lost-second-factor.tsx';
import { answerWithPasskey, canUsePasskeys } from './passkey.ts';
import { openSession } from './session-store.ts';

const auth = createClient(AuthService, plainTransport);

type Answer =
  | { readonly case: 'code' | 'backupCode'; readonly value: string }
  | { readonly case: 'passkeyResponseJson'; readonly value: string };

/** Answers the challenge of a right password, by whichever factor the person has at hand. */
export function SecondFactorForm({ challenge, onGiveUp }: { challenge: MfaChallenge; onGiveUp(): void }) {
  const canUse = (method: string) => challenge.methods.includes(method);
  const [isBackup, setBackup] = useState(!canUse('totp'));
  const verify = useMutation({
    mutationFn: async (find: () => Answer | Promise<Answer>) => {
      const { tokens, deviceToken } = await auth.verifyMfa({ challengeId: challenge.id, answer: await find() });
      keepDeviceToken(deviceToken);
      if (tokens !== undefined) openSession(tokens);
    },
  });
  const withPasskey = async (): Promise<Answer> => ({
    case: 'passkeyResponseJson',
    value: await answerWithPasskey(challenge.passkeyOptionsJson),
  });
  return (
    <Page title="Second factor">
      <Form
        key={String(isBackup)}
        submitLabel="Continue"
        isPending={verify.isPending}
        error={verify.error}
        onSubmit={(values) =>
          verify.mutate(() => ({ case: isBackup ? 'backupCode' : 'code', value: values.text('answer').trim() }))
        }
      >
        {isBackup ? (
          <Field name="answer" label="Backup code" autoComplete="off" required autoFocus minLength={8} maxLength={32} />
        ) : (
          <Field
            name="answer"
            label="Code from your authenticator"
            hint="Six digits; each code works once."
            inputMode="numeric"
            autoComplete="one-time-code"
            pattern="[0-9]{6}"
            maxLength={6}
            required
            autoFocus
          />
        )}
      </Form>
      {canUse('passkey') && canUsePasskeys() && (
        <button type="button" className="wide" disabled={verify.isPending} onClick={() => verify.mutate(withPasskey)}>
          Use a passkey
        </button>
      )}
      <p className="links">
        {canUse('totp') && (
          <button type="button" className="link" onClick={() => setBackup(!isBackup)}>
            {isBackup ? 'Use the authenticator' : 'Use a backup code'}
          </button>
        )}
        <button type="button" className="link" onClick={onGiveUp}>
          Start over
        </button>
      </p>
      <LostSecondFactor challengeId={challenge.id} />
    </Page>
  );
}
