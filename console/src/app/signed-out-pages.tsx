import { Route, Switch } from 'wouter';
import { SignInPage } from '../session/sign-in-page.tsx';
import { type Loadable, Loaded } from '../ui/loaded.tsx';
import { Brand } from './brand.tsx';

const messagePages = () => import('../session/message-pages.tsx');

const pages: readonly (readonly [path: string, content: Loadable])[] = [
  ['/register', { load: async () => (await import('../session/register-page.tsx')).RegisterPage }],
  [
    '/forgotten-password',
    { load: async () => (await import('../session/forgotten-password-page.tsx')).ForgottenPasswordPage },
  ],
  ['/verify-email', { load: async () => (await messagePages()).VerifyEmailPage }],
  ['/password-reset', { load: async () => (await messagePages()).PasswordResetPage }],
  ['/invitation', { load: async () => (await messagePages()).InvitationPage }],
];

/** Any other address waits behind the sign-in, and is shown after it. */
export function SignedOutPages({ notice }: { notice: string | undefined }) {
  return (
    <main className="narrow" id="content">
      <header className="masthead">
        <Brand />
      </header>
      <Switch>
        {pages.map(([path, content]) => (
          <Route key={path} path={path}>
            <Loaded from={content} />
          </Route>
        ))}
        <Route>
          <SignInPage notice={notice} />
        </Route>
      </Switch>
    </main>
  );
}
