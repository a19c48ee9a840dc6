import type { ReactNode } from 'react';
import { type FormValues, readForm } from './form-values.ts';

/** Asks on submission, not at each stroke: every question counts against the person's limit. */
export function FilterForm({
  label,
  children,
  onFilter,
}: {
  label: string;
  children: ReactNode;
  onFilter(values: FormValues): void;
}) {
  return (
    <search>
      <form
        className="filter"
        aria-label={label}
        onSubmit={(event) => {
          event.preventDefault();
          onFilter(readForm(event.currentTarget));
        }}
      >
        {children}
        <button type="submit">Show</button>
      </form>
    </search>
  );
}
