import { Facts } from '../ui/facts.tsx';
import type { Verdict } from './verify-receipt.ts';

/** What was checked, with which key, and what it proves. */
export function VerdictNotice({ verdict: { isVerified, steps, record } }: { verdict: Verdict }) {
  return (
    <div className={`notice ${isVerified ? 'notice-good' : 'notice-error'}`}>
      <p className="notice-message">{isVerified ? 'Verified' : 'Not verified'}</p>
      <ol className="steps">
        {steps.map(({ holds, text }) => (
          <li key={text} className={holds ? 'step-holds' : 'step-fails'}>
            <span aria-hidden="true">{holds ? '✓' : '✗'}</span> {!holds && <b>Fails: </b>}
            {text}
          </li>
        ))}
      </ol>
      {record !== undefined && (
        <Facts
          facts={Object.entries(record).map(([name, value]) => [
            name,
            typeof value === 'string' ? value : JSON.stringify(value),
          ])}
        />
      )}
    </div>
  );
}
