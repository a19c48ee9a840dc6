// `npm run audit:export -- --out FILE`: the audit log as one file that anyone can check offline with audit:verify.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EngineUrls } from './engines/index.ts';
import { readJson } from './support/files.ts';
import { readOptions } from './support/options.ts';

const help = `Usage: npm run audit:export -- --out FILE [--data DIR]

Writes the audit log to FILE. Check it with: npm run audit:verify -- --in FILE

  --out FILE   where to write
  --data DIR   data directory of npm start (default .data)
  --help       this text

These variables name another log than that of npm start:

  AUDIT_DATABASE_URL   its database, by any role that may read it
  LOG_ORIGIN           its name, as in its checkpoints
  LOG_KEY_FILE         its key's file; only FILE.pub is read
  WITNESS_URL          set: only checkpoints that the witness has cosigned count; it is not called
  WITNESS_KEY_FILE     the witness's verifier key

Exit code: 0 written; 1 not written, and why; 2 used wrongly.
`;

const values = readOptions(help, { out: { type: 'string' }, data: { type: 'string', default: '.data' } });
if (values.out === undefined) {
  console.error(`--out FILE is needed.\n\n${help}`);
  process.exit(2);
}

const dataDir = resolve(values.data);
const defaults: Record<string, string> = {
  // Reading the environment's own defaults is for development; production names its files.
  STRONGROOM_ENV: 'development',
  LOG_KEY_FILE: join(dataDir, 'audit-log.key'),
};
const engines = await readJson<EngineUrls>(join(dataDir, 'engines.json'));
if (engines !== undefined) defaults['AUDIT_DATABASE_URL'] = engines.postgres.databases.audit;
else if (process.env['AUDIT_DATABASE_URL'] === undefined) {
  console.error(`There is no system of npm start in ${dataDir}, and AUDIT_DATABASE_URL names no database.`);
  process.exit(1);
}
const witnessKeyFile = join(dataDir, 'witness', 'verifier-key.txt');
if (existsSync(witnessKeyFile)) {
  defaults['WITNESS_KEY_FILE'] = witnessKeyFile;
  // Only tells that there is a witness: an export doesn't call it.
  defaults['WITNESS_URL'] = 'http://127.0.0.1:3005';
}
const exporter = join(import.meta.dirname, '..', 'services', 'admin', 'src', 'audit-export.ts');
const { status } = spawnSync(process.execPath, [exporter, '--out', resolve(values.out)], {
  stdio: 'inherit',
  env: { ...defaults, ...process.env },
});
process.exitCode = status ?? 1;
