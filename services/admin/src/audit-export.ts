import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '@strongroom/platform/config';
import { type ISql, queryableOver } from '@strongroom/platform/database';
import postgres from 'postgres';
import { exportAuditLog } from './audit/export-log.ts';
import { exportVariables } from './config.ts';

const help = `Writes the audit log to a file that npm run audit:verify checks offline.

  node services/admin/src/audit-export.ts --out FILE

Reads AUDIT_DATABASE_URL, LOG_KEY_FILE, LOG_ORIGIN, WITNESS_URL and WITNESS_KEY_FILE; without AUDIT_DATABASE_URL, the
database that npm start left in .data/engines.json.
`;
const enginesFile = '.data/engines.json';
const ownerOnly = 0o600;

/** Reading needs no more of the configuration than this: an auditor has no master key. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help || values.out === undefined) {
    process.stdout.write(help);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const config = await loadConfig(exportVariables, process.env);
  const sql = postgres(config.AUDIT_DATABASE_URL ?? (await developmentUrl()), { max: 1, onnotice: () => undefined });
  try {
    const logKeyFile = `${config.LOG_KEY_FILE}.pub`;
    const logKeys = await readKeys(
      logKeyFile,
      'the public half of LOG_KEY_FILE, which admin writes at its first start',
    );
    const witnessKeys =
      config.WITNESS_URL === undefined
        ? []
        : await readKeys(config.WITNESS_KEY_FILE, 'WITNESS_KEY_FILE, which the witness writes at its first start');
    const chunks = exportAuditLog({
      auditDatabase: queryableOver(sql as unknown as ISql),
      origin: config.LOG_ORIGIN,
      logKeys,
      witnessKeys,
      cosignedOnly: witnessKeys.length > 0,
    });
    await pipeline(Readable.from(chunks), createWriteStream(values.out, { mode: ownerOnly }));
    const { size } = await stat(values.out);
    const keys = [
      `--log-key @${logKeyFile}`,
      ...(witnessKeys.length > 0 ? [`--witness-key @${config.WITNESS_KEY_FILE}`] : []),
    ];
    process.stdout.write(
      `written to ${values.out} (${size} bytes)\ncheck it: npm run audit:verify -- --in ${values.out} ${keys.join(' ')}\n`,
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function developmentUrl(): Promise<string> {
  const text = await readFile(enginesFile, 'utf8').catch((cause: Error) => {
    throw new Error(`AUDIT_DATABASE_URL names no database, and there is no system of npm start in .data`, { cause });
  });
  return String(JSON.parse(text).postgres.databases.audit);
}

async function readKeys(file: string, what: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`${file} can't be read (${cause.code}): it is ${what}`, { cause });
  });
  return text.split(/\s+/).filter((key) => key !== '');
}

/** What failed in the end: around it the query is, which tells an auditor nothing. */
function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.message.startsWith('Failed query') && error.cause instanceof Error) {
    return `the database of AUDIT_DATABASE_URL: ${error.cause.message}`;
  }
  return error.syscall === 'open' ? `${error.path} can't be written (${error.code})` : error.message;
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`the audit log could not be exported: ${reasonOf(error)}\n`);
  process.exitCode = 1;
});
