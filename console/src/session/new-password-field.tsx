import { Field } from '../ui/field.tsx';

/** The server judges a password; this says what it looks for. */
export function NewPasswordField({ name, label = 'New password' }: { name: string; label?: string }) {
  return (
    <Field
      name={name}
      label={label}
      type="password"
      autoComplete="new-password"
      minLength={12}
      required
      hint="12 characters or more, with capital and small letters, a digit and a sign; not a common one, not your name or address."
    />
  );
}
