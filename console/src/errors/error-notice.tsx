import { retryAdvice } from './retry-advice.ts';
import { readServiceError } from './service-error.ts';

/** An error as a person can use it: what happened, what to do, and what to tell whoever is asked for help. */
export function ErrorNotice({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  const read = readServiceError(error);
  const hasViolations = read.violations.length > 0;
  return (
    <div className="notice notice-error" role="alert">
      <p className="notice-message">{hasViolations ? 'Some of what you entered is not accepted.' : read.message}</p>
      {read.conditions.map((condition) => (
        <p key={condition}>{condition}</p>
      ))}
      {read.metadata['attemptsLeft'] !== undefined && <p>Tries left: {read.metadata['attemptsLeft']}.</p>}
      <p>{hasViolations ? 'Change it where it is marked, and try again.' : retryAdvice(read)}</p>
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
