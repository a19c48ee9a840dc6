import { EventEmitter, on } from 'node:events';

/** Tells those who follow the log in this process that it has grown: by the size it has now. */
export interface LogTail {
  announce(size: number): void;
  /** Resolves with the next announcement, or when `timeoutMs` are over: a hint can get lost, the log can't. */
  changed(signal: AbortSignal, timeoutMs: number): Promise<void>;
}

const eventName = 'grown';

export function createLogTail(): LogTail {
  const emitter = new EventEmitter();
  // As many as WatchAuditEvents lets in; the warning of ten is for leaks.
  emitter.setMaxListeners(0);
  return {
    announce: (size) => void emitter.emit(eventName, size),
    async changed(signal, timeoutMs) {
      const done = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        for await (const _ of on(emitter, eventName, { signal: done })) return;
      } catch (error) {
        if (!done.aborted) throw error;
      }
    },
  };
}
