/** That something was done, said to a screen reader as well. */
export function Flash({ message }: { message: string | undefined }) {
  return (
    <div role="status" aria-live="polite">
      {message !== undefined && <p className="notice notice-good">{message}</p>}
    </div>
  );
}
