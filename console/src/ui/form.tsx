import { createContext, type ReactNode, type SubmitEvent, useContext } from 'react';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { readServiceError, type Violation } from '../errors/service-error.ts';
import { type FormValues, readForm } from './form-values.ts';

const Violations = createContext<readonly Violation[]>([]);

interface FormProps {
  readonly submitLabel: string;
  readonly isPending: boolean;
  /** Of the last try; the parts about a field are shown at the field. */
  readonly error?: unknown;
  readonly isDangerous?: boolean;
  /** Beside the button that submits. */
  readonly actions?: ReactNode;
  readonly className?: string;
  readonly label?: string;
  readonly children?: ReactNode;
  onSubmit(values: FormValues, form: HTMLFormElement): void;
}

export function Form({
  submitLabel,
  isPending,
  error,
  isDangerous,
  actions,
  className,
  label,
  children,
  onSubmit,
}: FormProps) {
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isPending) onSubmit(readForm(event.currentTarget), event.currentTarget);
  };
  const violations = error === undefined || error === null ? [] : readServiceError(error).violations;
  return (
    <form onSubmit={submit} className={className} aria-label={label} aria-busy={isPending}>
      <Violations value={violations}>{children}</Violations>
      <ErrorNotice error={error} />
      <div className="form-actions">
        <button type="submit" className={isDangerous ? 'danger' : 'primary'} disabled={isPending}>
          {isPending ? 'Please wait…' : submitLabel}
        </button>
        {actions}
      </div>
    </form>
  );
}

/** What the server found wrong with a field, by its proto path. */
export function useViolations(name: string): readonly string[] {
  return useContext(Violations)
    .filter(({ field }) => field === name)
    .map(({ message }) => inSentence(message));
}

/** A rule that the contract gives no words is told by its name, such as `breaks string.pattern`. */
function inSentence(message: string): string {
  if (/^breaks [\w.]+$/.test(message)) return 'This is not in the form that is expected.';
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return text.endsWith('.') ? text : `${text}.`;
}
