import { Field } from './field.tsx';

export function PeriodFields({ isRequired = false }: { isRequired?: boolean }) {
  return (
    <>
      <Field name="from" label="From" type="date" required={isRequired} />
      <Field name="to" label="To, inclusive" type="date" required={isRequired} />
    </>
  );
}
