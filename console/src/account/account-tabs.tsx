import { Link, useLocation } from 'wouter';

const tabs = [
  ['/account', 'You'],
  ['/account/security', 'Security'],
  ['/account/sessions', 'Sessions'],
  ['/account/data', 'Your data'],
] as const;

export function AccountTabs() {
  const [location] = useLocation();
  return (
    <nav className="tabs" aria-label="Account">
      {tabs.map(([path, label]) => (
        <Link key={path} href={path} aria-current={location === path ? 'page' : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
