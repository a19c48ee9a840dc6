import { useMutation } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { useState } from 'react';
import { Field } from '../../ui/field.tsx';
import { FilterForm } from '../../ui/filter-form.tsx';
import { Flash } from '../../ui/flash.tsx';
import { Form } from '../../ui/form.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { LockoutState } from './lockout-state.tsx';

export function LockoutsPage() {
  const [email, setEmail] = useState<string>();
  return (
    <Page title="Lockouts">
      <FilterForm label="Whose" onFilter={(values) => setEmail(values.optional('email'))}>
        <Field name="email" label="E-mail address" type="email" autoComplete="off" required maxLength={255} />
      </FilterForm>
      {email === undefined ? (
        <p className="empty">Enter the e-mail address of an account. Every look-up is recorded.</p>
      ) : (
        <Section title={email}>
          <LockoutState email={email} />
        </Section>
      )}
      <RecoveryApproval />
    </Page>
  );
}

/** For a person without a second factor, whom an administrator has identified. */
function RecoveryApproval() {
  const approve = useMutation(AuthService.method.approveMfaRecovery);
  return (
    <Section title="Lost second factor">
      <p>
        The person tells you a recovery number. Approve only after you have made sure who it is; it takes effect after
        some days.
      </p>
      <Form
        submitLabel="Approve the removal"
        isDangerous
        isPending={approve.isPending}
        error={approve.error}
        onSubmit={(values, form) =>
          approve.mutate(
            { id: values.text('id').trim(), reason: values.text('reason') },
            { onSuccess: () => form.reset() },
          )
        }
      >
        <div className="columns">
          <Field name="id" label="Recovery number" autoComplete="off" spellCheck={false} required />
          <Field name="reason" label="How you made sure" autoComplete="off" required maxLength={500} />
        </div>
      </Form>
      <Flash message={approve.isSuccess ? 'Approved; the person was told.' : undefined} />
    </Section>
  );
}
