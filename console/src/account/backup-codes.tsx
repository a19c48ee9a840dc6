import { downloadFile } from '../ui/download.ts';

/** Shown once. Each opens the account in place of the second factor, once. */
export function BackupCodes({ codes, onSeen }: { codes: readonly string[]; onSeen(): void }) {
  return (
    <div className="notice">
      <p className="notice-message">Backup codes</p>
      <p>
        Each of them replaces your second factor once. They are shown only now; keep them where your telephone is not.
      </p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="form-actions">
        <button type="button" className="primary" onClick={onSeen}>
          I have kept them
        </button>
        <button
          type="button"
          onClick={() => downloadFile('strongroom-backup-codes.txt', `${codes.join('\n')}\n`, 'text/plain')}
        >
          Download
        </button>
      </div>
    </div>
  );
}
