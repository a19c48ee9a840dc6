import { type ComponentProps, type ReactNode, useId } from 'react';
import { useViolations } from './form.tsx';

interface Described {
  readonly name: string;
  readonly label: string;
  readonly hint?: ReactNode;
  /** Said of what the server refuses, where its own words are not a person's. */
  readonly refusal?: string;
}

/** A labelled input. Its name is the proto path of what it sets, so that the server's violations find it. */
export function Field({ name, label, hint, refusal, ...input }: Described & ComponentProps<'input'>) {
  const { id, described, notes } = useNotes(name, hint, refusal);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} name={name} {...described} {...input} />
      {notes}
    </div>
  );
}

export function TextField({ name, label, hint, refusal, ...area }: Described & ComponentProps<'textarea'>) {
  const { id, described, notes } = useNotes(name, hint, refusal);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} name={name} {...described} {...area} />
      {notes}
    </div>
  );
}

export function Choice({ name, label, hint, refusal, children, ...select }: Described & ComponentProps<'select'>) {
  const { id, described, notes } = useNotes(name, hint, refusal);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} name={name} {...described} {...select}>
        {children}
      </select>
      {notes}
    </div>
  );
}

export function Checkbox({ name, label, ...input }: Described & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className="checkbox">
      <input id={id} name={name} type="checkbox" {...input} />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}

function useNotes(name: string, hint: ReactNode, refusal?: string) {
  const id = useId();
  const found = useViolations(name);
  const violations = refusal !== undefined && found.length > 0 ? [refusal] : found;
  const isInvalid = violations.length > 0;
  const hasNotes = isInvalid || hint !== undefined;
  return {
    id,
    described: {
      'aria-describedby': hasNotes ? `${id}-notes` : undefined,
      'aria-invalid': isInvalid ? true : undefined,
    },
    notes: hasNotes && (
      <div id={`${id}-notes`} className="notes">
        {violations.map((violation) => (
          <p key={violation} className="violation">
            {violation}
          </p>
        ))}
        {hint !== undefined && <p className="hint">{hint}</p>}
      </div>
    ),
  };
}
