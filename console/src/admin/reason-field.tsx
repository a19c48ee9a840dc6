import { Field } from '../ui/field.tsx';

/** Why an administrator does it. */
export function ReasonField() {
  return <Field name="reason" label="Reason, for the audit log" autoComplete="off" required maxLength={500} />;
}
