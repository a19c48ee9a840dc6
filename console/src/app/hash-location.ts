import { useSyncExternalStore } from 'react';

// Addresses live in the fragment, which browsers send to no server and no log: messages carry their tokens there.

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

function readFragment(): string {
  return location.hash.slice(1) || '/';
}

function useFragment(): string {
  return useSyncExternalStore(subscribe, readFragment);
}

/** For wouter: the part of the fragment before its query. */
export function useHashPath(): [string, typeof navigate] {
  return [useFragment().split('?')[0] || '/', navigate];
}

/** For wouter: how a link spells an address. */
useHashPath.hrefs = (path: string) => `#${path}`;

/** For wouter: the query of the fragment. */
export function useHashSearch(): string {
  return useFragment().split('?')[1] ?? '';
}

export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace !== true) {
    location.hash = to;
    return;
  }
  history.replaceState(null, '', `#${to}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}
