import { Link, useLocation } from 'wouter';

interface Entry {
  readonly path: string;
  readonly label: string;
  /** Who has a use for it; all when left out. */
  readonly roles?: readonly string[];
}

const entries: readonly Entry[] = [
  { path: '/payments', label: 'Payments' },
  { path: '/ledger', label: 'Ledger' },
  { path: '/payment-methods', label: 'Payment methods' },
  { path: '/payments/report', label: 'Report', roles: ['VENDOR', 'ADMIN'] },
  { path: '/webhooks', label: 'Webhooks', roles: ['VENDOR', 'ADMIN'] },
  { path: '/proof', label: 'Proof check' },
  { path: '/account', label: 'Account' },
];

const adminEntries: readonly Entry[] = [
  { path: '/admin/users', label: 'Users' },
  { path: '/admin/lockouts', label: 'Lockouts' },
  { path: '/admin/audit', label: 'Audit log' },
  { path: '/admin/anomalies', label: 'Anomalies' },
  { path: '/admin/keys', label: 'Keys' },
  { path: '/admin/flags', label: 'Flags' },
  { path: '/admin/reports', label: 'Reports' },
  { path: '/admin/health', label: 'Health' },
];

/** Shows what the role has a use for. An address that is typed in still leads to its page, and to the server's answer. */
export function Navigation({ role }: { role: string }) {
  const mine = entries.filter(({ roles }) => roles === undefined || roles.includes(role));
  return (
    <nav className="navigation" aria-label="Pages">
      <div>
        <NavigationList label="Yours" entries={mine} />
        {role === 'ADMIN' && <NavigationList label="Administration" entries={adminEntries} />}
      </div>
    </nav>
  );
}

function NavigationList({ label, entries: shown }: { label: string; entries: readonly Entry[] }) {
  const [location] = useLocation();
  // Of /payments and /payments/report, the longer one is where one is.
  const here = shown
    .filter(({ path }) => location === path || location.startsWith(`${path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return (
    <>
      <h2>{label}</h2>
      <ul>
        {shown.map((entry) => (
          <li key={entry.path}>
            <Link href={entry.path} aria-current={entry === here ? 'page' : undefined}>
              {entry.label}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
