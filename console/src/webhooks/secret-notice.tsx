/** The secret by which an endpoint knows that a message is ours. Nobody can read it again. */
export function SecretNotice({ secret, onSeen }: { secret: string; onSeen(): void }) {
  return (
    <div className="notice" role="status">
      <p className="notice-message">Signing secret</p>
      <p>Shown only this once. Your server verifies each message’s signature with it (Standard Webhooks).</p>
      <p>
        <code className="secret">{secret}</code>
      </p>
      <button type="button" className="primary" onClick={onSeen}>
        I have kept it
      </button>
    </div>
  );
}
