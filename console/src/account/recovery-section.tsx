import { useMutation } from '@connectrpc/connect-query';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import { Section } from '../ui/page.tsx';

/** The owner's answer to a message that says somebody asked to remove the second factor. */
export function RecoverySection() {
  const cancel = useMutation(AuthService.method.cancelMfaRecovery);
  return (
    <Section title="Removal that somebody asked for">
      <p>
        A message told you that your second factor is to be removed, and it was not you? Stop it, then change your
        password.
      </p>
      <Form
        submitLabel="Stop the removal"
        isPending={cancel.isPending}
        error={cancel.error}
        onSubmit={(values) => cancel.mutate({ id: values.text('id').trim() })}
      >
        <Field name="id" label="Number in the message" autoComplete="off" spellCheck={false} required />
      </Form>
      <Flash message={cancel.isSuccess ? 'It is stopped.' : undefined} />
    </Section>
  );
}
