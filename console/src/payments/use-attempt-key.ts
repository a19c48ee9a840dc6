import { useRef } from 'react';

/**
 * The idempotency key of an attempt: the same for as long as the same is sent, so that whoever presses again after a lost
 * answer pays once; another one for another request.
 */
export function useAttemptKey(): (content: string) => string {
  const attempt = useRef({ content: '', key: '' });
  return (content) => {
    if (attempt.current.key === '' || attempt.current.content !== content) {
      attempt.current = { content, key: crypto.randomUUID() };
    }
    return attempt.current.key;
  };
}
