import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { RestrictedPage } from '../account/restricted-page.tsx';
import { ErrorBoundary } from '../errors/error-boundary.tsx';
import type { Claims } from '../session/claims.ts';
import { SignOutButton } from '../session/sign-out-button.tsx';
import { PersonalTimeZone } from '../time/time-zone.tsx';
import { Page } from '../ui/page.tsx';
import { pageRoutes } from './areas.tsx';
import { Brand } from './brand.tsx';
import { MenuButton } from './menu-button.tsx';
import { Navigation } from './navigation.tsx';
import { routesOf } from './page-routes.tsx';
import { usePersonalTheme } from './use-personal-theme.ts';

export function SignedInPages({ claims }: { claims: Claims }) {
  const [location] = useLocation();
  usePersonalTheme();
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={skipToContent}>
        Skip to the content
      </button>
      <header className="masthead">
        <Brand />
        <span className="role">{claims.role.toLowerCase()}</span>
        <MenuButton />
        <SignOutButton />
      </header>
      {!claims.isRestricted && <Navigation role={claims.role} />}
      <main id="content" tabIndex={-1}>
        <ErrorBoundary key={location}>
          <PersonalTimeZone>{claims.isRestricted ? <RestrictedPage /> : <PageSwitch />}</PersonalTimeZone>
        </ErrorBoundary>
      </main>
    </div>
  );
}

function PageSwitch() {
  return (
    <Switch>
      {routesOf(pageRoutes)}
      {['/', '/sign-in', '/register', '/forgotten-password'].map((path) => (
        <Route key={path} path={path}>
          <Redirect to="/payments" replace />
        </Route>
      ))}
      <Route>
        <Page title="No such page">
          <p>
            There is nothing at this address. <Link href="/payments">Go to the payments.</Link>
          </p>
        </Page>
      </Route>
    </Switch>
  );
}

/** No link: the fragment is the console's own address, so the browser can't jump by it. */
function skipToContent() {
  document.getElementById('content')?.focus();
}
