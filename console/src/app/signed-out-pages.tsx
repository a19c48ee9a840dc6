import { Route, Switch } from 'wouter';
import { SignInPage } from '../session/sign-in-page.tsx';
import { Brand } from './brand.tsx';
import { messageRoutes, page, routesOf } from './page-routes.tsx';

const pages = [
  page('/register', () => import('../session/register-page.tsx'), 'RegisterPage'),
  page('/forgotten-password', () => import('../session/forgotten-password-page.tsx'), 'ForgottenPasswordPage'),
  ...messageRoutes,
];

/** Any other address waits behind the sign-in, and is shown after it. */
export function SignedOutPages({ notice }: { notice: string | undefined }) {
  return (
    <main className="narrow" id="content">
      <header className="masthead">
        <Brand />
      </header>
      <Switch>
        {routesOf(pages)}
        <Route>
          <SignInPage notice={notice} />
        </Route>
      </Switch>
    </main>
  );
}
