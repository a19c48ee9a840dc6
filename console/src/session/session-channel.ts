// Tabs of one browser share one session: a refresh token counts once, so two tabs with a copy each would end it (S1.2b).
// A BroadcastChannel reaches this origin alone.

export interface SharedSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expireTimeMs: number;
}

type Message =
  | { readonly kind: 'asked' }
  | { readonly kind: 'session'; readonly session: SharedSession }
  | { readonly kind: 'ended'; readonly sessionId: string };

const channel = new BroadcastChannel('strongroom-session');

export interface TabListener {
  own(): SharedSession | undefined;
  onSession(session: SharedSession): void;
  onEnd(sessionId: string): void;
}

/** Hears the other tabs, answers a new one, and asks them for their session if this tab has none. */
export function listenToOtherTabs(listener: TabListener): void {
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'session') listener.onSession(data.session);
    if (data.kind === 'ended') listener.onEnd(data.sessionId);
    const own = listener.own();
    if (data.kind === 'asked' && own !== undefined) announceSession(own);
  });
  if (listener.own() === undefined) send({ kind: 'asked' });
}

export function announceSession({ accessToken, refreshToken, expireTimeMs }: SharedSession): void {
  send({ kind: 'session', session: { accessToken, refreshToken, expireTimeMs } });
}

export function announceEnd(sessionId: string): void {
  send({ kind: 'ended', sessionId });
}

function send(message: Message): void {
  channel.postMessage(message);
}
