import { useState } from 'react';

/** The way through a list that is read page by page: tokens are opaque, so the way back is remembered. */
export interface Pages {
  readonly pageToken: string;
  readonly number: number;
  next(pageToken: string): void;
  previous(): void;
}

/** Starts anew whenever the filter is another: a token belongs to the filter that it was given for. */
export function usePages(filter: string): Pages {
  const [way, setWay] = useState<{ filter: string; tokens: readonly string[] }>({ filter, tokens: [] });
  const tokens = way.filter === filter ? way.tokens : [];
  return {
    pageToken: tokens.at(-1) ?? '',
    number: tokens.length + 1,
    next: (pageToken) => setWay({ filter, tokens: [...tokens, pageToken] }),
    previous: () => setWay({ filter, tokens: tokens.slice(0, -1) }),
  };
}
