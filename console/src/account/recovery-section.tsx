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
    <Section title="Stop a removal">
      <p>
        Did a message tell you that your second factor is to be removed, and it wasn’t you who asked? Stop it, then
        change your password.
      </p>
      <Form
        submitLabel="Stop the removal"
        isPending={cancel.isPending}
        error={cancel.error}
        onSubmit={(values) => cancel.mutate({ id: values.text('id').trim() })}
      >
        <Field name="id" label="Recovery number in the message" autoComplete="off" spellCheck={false} required />
      </Form>
      <Flash message={cancel.isSuccess ? 'It is stopped.' : undefined} />
    </Section>
  );
}
