import { Code } from '@connectrpc/connect';
import { useEffect, useEffectEvent, useState } from 'react';
import { readServiceError } from '../errors/service-error.ts';
import { renewSession } from '../session/renew-session.ts';
import { currentSession } from '../session/session-store.ts';
import { backoffMs, pause } from './backoff.ts';

export interface Watch {
  readonly state: 'off' | 'connecting' | 'live' | 'refused';
  /** Why it was refused, or why it has to connect again. */
  readonly error?: unknown;
}

interface WatchOptions<Message> {
  readonly isOn: boolean;
  /** Another key is another watch. */
  readonly key?: string;
  /** Opens the stream; from where it broke off, when it is called again. */
  open(signal: AbortSignal): AsyncIterable<Message>;
  onMessage(message: Message): void;
}

/** Follows a stream for as long as the page is there, and connects again when it breaks. */
export function useWatch<Message>({ isOn, key = '', open, onMessage }: WatchOptions<Message>): Watch {
  const [watch, setWatch] = useState<Watch>({ state: 'off' });
  const openLatest = useEffectEvent(open);
  const handleLatest = useEffectEvent(onMessage);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key opens another stream.
  useEffect(() => {
    if (!isOn) return;
    const ending = new AbortController();
    const { signal } = ending;
    const follow = async () => {
      for (let failures = 0; !signal.aborted; failures += 1) {
        setWatch((before) => ({ state: 'connecting', error: before.error }));
        try {
          for await (const message of openLatest(signal)) {
            failures = 0;
            setWatch((before) => (before.state === 'live' ? before : { state: 'live' }));
            handleLatest(message);
          }
        } catch (error) {
          if (signal.aborted) return;
          setWatch({ state: 'connecting', error });
          if (!(await canGoOn(error))) return setWatch({ state: 'refused', error });
        }
        await pause(backoffMs(failures), signal);
      }
    };
    void follow();
    return () => {
      ending.abort();
      setWatch({ state: 'off' });
    };
  }, [isOn, key]);
  return watch;
}

/** A stream ends with the token that opened it; whatever is refused for good is not asked for again. */
async function canGoOn(error: unknown): Promise<boolean> {
  const { code, retry } = readServiceError(error);
  if (code !== Code.Unauthenticated) return retry !== 'never';
  try {
    await renewSession(currentSession()?.accessToken);
  } catch {
    // The session is over, or can't be renewed now: the next opening says which.
  }
  return currentSession() !== undefined;
}
