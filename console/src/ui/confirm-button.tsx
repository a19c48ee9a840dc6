import { type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Form } from './form.tsx';
import type { FormValues } from './form-values.ts';

interface ConfirmButtonProps {
  readonly label: string;
  readonly title: string;
  /** What will happen, and whether it can be undone. */
  readonly children: ReactNode;
  readonly confirmLabel: string;
  readonly isDangerous?: boolean;
  readonly isDisabled?: boolean;
  /** Resolves when it is done; what it throws is shown in the dialog. */
  act(values: FormValues): Promise<unknown>;
}

/** A button for what can't be undone: it asks first, and says what came of it. */
export function ConfirmButton({
  label,
  title,
  children,
  confirmLabel,
  isDangerous = true,
  isDisabled,
  act,
}: ConfirmButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  const close = () => {
    setOpen(false);
    setError(undefined);
  };
  const submit = async (values: FormValues) => {
    setPending(true);
    setError(undefined);
    try {
      await act(values);
      close();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setPending(false);
    }
  };
  const cancel = (
    <button type="button" onClick={close}>
      Back
    </button>
  );
  return (
    <>
      <button
        type="button"
        className={isDangerous ? 'danger-outline' : undefined}
        disabled={isDisabled}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {isOpen && (
        <Dialog title={title} onClose={close}>
          <Form
            submitLabel={confirmLabel}
            isDangerous={isDangerous}
            isPending={isPending}
            error={error}
            onSubmit={submit}
            actions={cancel}
          >
            {children}
          </Form>
        </Dialog>
      )}
    </>
  );
}
