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
      hint="12 characters or more, with upper and lower case letters, a digit and a symbol. No common password, and not your name or address."
    />
  );
}
