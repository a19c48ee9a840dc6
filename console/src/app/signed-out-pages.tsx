import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { SignInPage } from '../session/sign-in-page.tsx';
import { Loading } from '../ui/loading.tsx';
import { Brand } from './brand.tsx';

const RegisterPage = lazy(async () => ({ default: (await import('../session/register-page.tsx')).RegisterPage }));
const ForgottenPasswordPage = lazy(async () => ({
  default: (await import('../session/forgotten-password-page.tsx')).ForgottenPasswordPage,
}));
const messagePages = () => import('../session/message-pages.tsx');
const VerifyEmailPage = lazy(async () => ({ default: (await messagePages()).VerifyEmailPage }));
const PasswordResetPage = lazy(async () => ({ default: (await messagePages()).PasswordResetPage }));
const InvitationPage = lazy(async () => ({ default: (await messagePages()).InvitationPage }));

/** Any other address waits behind the sign-in, and is shown after it. */
export function SignedOutPages({ notice }: { notice: string | undefined }) {
  return (
    <main className="narrow" id="content">
      <header className="masthead">
        <Brand />
      </header>
      <Suspense fallback={<Loading what="the page" />}>
        <Switch>
          <Route path="/register" component={RegisterPage} />
          <Route path="/forgotten-password" component={ForgottenPasswordPage} />
          <Route path="/verify-email" component={VerifyEmailPage} />
          <Route path="/password-reset" component={PasswordResetPage} />
          <Route path="/invitation" component={InvitationPage} />
          <Route>
            <SignInPage notice={notice} />
          </Route>
        </Switch>
      </Suspense>
    </main>
  );
}
