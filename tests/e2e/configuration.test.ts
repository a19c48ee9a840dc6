// Every process checks its whole configuration before it opens anything (S3.2).
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { root } from '../house/source-files.ts';

const startTimeoutMs = 60_000;
const fileTimeoutMs = 300_000;
t.setTimeout(fileTimeoutMs);

const canary = 'canary-of-a-secret-7f3a9d';
const processes = {
  auth: 'services/auth/src/main.ts',
  payments: 'services/payments/src/main.ts',
  profile: 'services/profile/src/main.ts',
  admin: 'services/admin/src/main.ts',
  gateway: 'gateway/src/main.ts',
};

for (const [name, entry] of Object.entries(processes)) {
  t.test(`S3.2: ${name} names every fault of its configuration at once, prints no secret and exits non-zero`, (t) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry], {
      cwd: root,
      encoding: 'utf8',
      timeout: startTimeoutMs,
      env: {
        PATH: process.env['PATH'],
        STRONGROOM_ENV: 'production',
        PORT: '70000',
        LOG_LEVEL: 'loud',
        AUTH_URL: 'ftp://nowhere',
        DATABASE_URL: `mysql://user:${canary}@127.0.0.1/db`,
        ENCRYPTION_MASTER_KEY: canary,
        REDIS_URL: `http://:${canary}@127.0.0.1`,
      },
    });
    const output = stdout + stderr;
    t.ok(status !== 0 && status !== null, `exits with ${status}`);
    for (const variable of ['PORT', 'LOG_LEVEL', 'AUTH_URL', 'REDIS_URL']) t.match(output, variable);
    if (name !== 'gateway') for (const variable of ['DATABASE_URL', 'ENCRYPTION_MASTER_KEY']) t.match(output, variable);
    t.notMatch(output, canary, 'the secret is not printed');
    t.end();
  });
}
