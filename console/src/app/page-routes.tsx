import type { ComponentType } from 'react';
import { Route } from 'wouter';
import { type Loadable, Loaded } from '../ui/loaded.tsx';

export interface PageRoute {
  readonly path: string;
  readonly content: Loadable;
}

/** A page that is loaded when it is first looked at. */
export function page<Name extends string>(
  path: string,
  load: () => Promise<Record<Name, ComponentType>>,
  name: Name,
): PageRoute {
  return { path, content: { load: async () => (await load())[name] } };
}

/** As a Switch takes them. */
export function routesOf(pages: readonly PageRoute[]) {
  return pages.map(({ path, content }) => (
    <Route key={path} path={path}>
      <Loaded from={content} />
    </Route>
  ));
}

const load = () => import('../session/message-pages.tsx');

/** Where the links in messages lead, for somebody who is signed in and somebody who isn't. */
export const messageRoutes: readonly PageRoute[] = [
  page('/verify-email', load, 'VerifyEmailPage'),
  page('/password-reset', load, 'PasswordResetPage'),
  page('/invitation', load, 'InvitationPage'),
];
