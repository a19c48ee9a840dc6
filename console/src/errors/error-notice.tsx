import { retryAdvice } from './retry-advice.ts';
import { readServiceError } from './service-error.ts';

/** An error as a person can use it: what happened, what to do, and what to tell whoever is asked for help. */
export function ErrorNotice({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  const read = readServiceError(error);
  return (
    <div className="notice notice-error" role="alert">
      <p className="notice-message">{read.message}</p>
      {read.conditions.map((condition) => (
        <p key={condition}>{condition}</p>
      ))}
      {read.metadata['attemptsLeft'] !== undefined && <p>Tries left: {read.metadata['attemptsLeft']}.</p>}
      <p>{retryAdvice(read)}</p>
      {read.retry !== 'reconnect' && (
        <p className="notice-facts">
          <code>{read.reason}</code>
          {read.requestId !== undefined && (
            <>
              {' '}
              · request <code>{read.requestId}</code>
            </>
          )}
        </p>
      )}
    </div>
  );
}
