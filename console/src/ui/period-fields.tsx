import { Field } from './field.tsx';

const dayMs = 86_400_000;

export function PeriodFields({ isRequired = false }: { isRequired?: boolean }) {
  return (
    <>
      <Field name="from" label="From" type="date" required={isRequired} />
      <Field name="to" label="To, inclusive" type="date" required={isRequired} />
    </>
  );
}

/** The end of a day, as periods of the API leave their end out. */
export function dayAfter(day: string): Date {
  return new Date(new Date(day).getTime() + dayMs);
}
