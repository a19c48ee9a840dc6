// `npm run audit:export -- --out FILE`: the audit log as one file that anyone can check offline.
await import('../services/admin/src/audit-export.ts');
