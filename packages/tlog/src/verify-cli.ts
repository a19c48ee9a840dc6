import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseVerifierKey, requireType, SIGNATURE_TYPE_COSIGNATURE, SIGNATURE_TYPE_ED25519 } from './note.ts';
import { openReceipt } from './receipt.ts';
import { type VerifyFailure, type VerifyResult, type VerifySuccess, verifyExport } from './verify.ts';

const HELP = `Checks an export of the audit log offline, by public keys alone.

  npm run audit:verify -- --in FILE [options]

  --in FILE              the export (npm run audit:export -- --out FILE)
  --log-key KEY          the log's verifier key, name+id+base64; may be repeated while keys are rotated
  --witness-key KEY      a witness's verifier key; may be repeated
  --checkpoint FILE      a signed checkpoint from a place you trust: as the witness keeps it, or as you fetched it from
                         /tlog/checkpoint before. Finds a log that was cut short or rewritten since; may be repeated
  --quorum N             how many witnesses must have cosigned (default 1)
  --allow-unwitnessed    take the log's word alone (the same as --quorum 0)
  --max-age SECONDS      refuse a checkpoint whose last cosignature is older
  --receipt FILE         check a receipt (.tlog-proof) instead; needs --log-key, and --witness-key unless --quorum is 0
  --json                 the result as one JSON object
  --quiet                no progress on stderr
  --help

KEY is a verifier key, or @FILE holding one a line: the log writes its own to audit-log.key.pub, the witness to
verifier-key.txt; get them from whoever runs these, not with the export. Without --log-key and --witness-key the keys in the export count,
which only shows that it agrees with itself: whoever wrote the file chose them.

Exit code: 0 verified; 1 not verified (the first bad index or the missing rows are named); 2 used wrongly.
`;

const PROGRESS_INTERVAL_MS = 1_000;
const KEY_FILE_BYTES_MAX = 65_536;
const NOTE_FILE_BYTES_MAX = 1_048_576;
const MS_PER_SECOND = 1_000;

class UsageError extends Error {}

const flags = {
  in: { type: 'string' },
  'log-key': { type: 'string', multiple: true },
  'witness-key': { type: 'string', multiple: true },
  checkpoint: { type: 'string', multiple: true },
  quorum: { type: 'string' },
  'allow-unwitnessed': { type: 'boolean', default: false },
  'max-age': { type: 'string' },
  receipt: { type: 'string' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Flags = ReturnType<typeof parseFlags>;

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(args: string[]): Promise<number> {
  const values = parseFlags(args);
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if ((values.in === undefined) === (values.receipt === undefined)) {
    throw new UsageError('give either --in FILE or --receipt FILE');
  }
  const logKeys = await readKeys('--log-key', values['log-key'] ?? []);
  const witnessKeys = await readKeys('--witness-key', values['witness-key'] ?? []);
  const quorum = values['allow-unwitnessed'] ? 0 : parseCount(values.quorum, '--quorum');
  if (values.receipt !== undefined) return checkReceipt(values.receipt, logKeys, witnessKeys, quorum ?? 1);
  const result = await checkExport(values.in as string, values, logKeys, witnessKeys, quorum);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : resultToText(result));
  return result.ok ? 0 : 1;
}

async function checkExport(
  file: string,
  values: Flags,
  logKeys: string[],
  witnessKeys: string[],
  quorum: number | undefined,
): Promise<VerifyResult> {
  const trustedCheckpoints = await Promise.all(
    (values.checkpoint ?? []).map(async (label) => ({ label, note: await readInput(label, NOTE_FILE_BYTES_MAX) })),
  );
  await readStat(file);
  return verifyExport({
    chunks: createReadStream(file),
    logKeys,
    witnessKeys,
    trustedCheckpoints,
    quorum,
    maxAgeSeconds: parseCount(values['max-age'], '--max-age'),
    nowSeconds: Math.floor(Date.now() / MS_PER_SECOND),
    onProgress: values.quiet ? undefined : createProgress(),
  });
}

async function checkReceipt(file: string, logKeys: string[], witnessKeys: string[], quorum: number): Promise<number> {
  if (logKeys.length === 0) throw new UsageError('a receipt holds no keys: give --log-key');
  const text = (await readInput(file, 4 * NOTE_FILE_BYTES_MAX)).toString('utf8');
  const keys = logKeys.map(parseVerifierKey);
  const trust = {
    origin: (keys[0] as { name: string }).name,
    logKeys: keys,
    witnessKeys: witnessKeys.map(parseVerifierKey),
    quorum,
  };
  try {
    const { index, checkpoint, record } = openReceipt(text, trust);
    const where = `entry ${index} of ${checkpoint.origin}, tree size ${checkpoint.size}`;
    process.stdout.write(`OK: ${where}\n${JSON.stringify(record, null, 2)}\n`);
    return 0;
  } catch (error) {
    process.stdout.write(`FAILED: ${(error as Error).message}\n`);
    return 1;
  }
}

function resultToText(result: VerifyResult): string {
  return result.ok ? successToText(result) : failureToText(result);
}

function successToText(result: VerifySuccess): string {
  const { trust } = result;
  const cosigned = result.cosignatures.map(
    ({ name, timestampSeconds }) => `${name} at ${new Date(timestampSeconds * MS_PER_SECOND).toISOString()}`,
  );
  const lines = [
    `OK: tree size ${result.size}`,
    `  log                ${result.origin}`,
    `  root               ${result.root}`,
    `  rows re-hashed     ${result.rowsHashed}`,
    `  rows pruned        ${result.rowsPruned} (signed minimum index ${result.minimumIndex})`,
    `  checkpoints        ${result.checkpoints} compared`,
    `  cosigned by        ${cosigned.join(', ') || 'nobody'}`,
    `  trust: log key     ${trust.logKeys} (${trust.logNames.join(', ')})`,
    `  trust: witness key ${trust.witnessKeys} (${trust.witnessNames.join(', ') || 'none'}; quorum ${trust.quorum})`,
    ...trust.trustedCheckpoints.map(({ label, size }) => `  trust: checkpoint  ${label}, size ${size}, consistent`),
  ];
  if (trust.logKeys !== 'pinned' || (trust.quorum > 0 && trust.witnessKeys !== 'pinned')) {
    lines.push('  note: keys from the file itself show only that it is whole; pin them with --log-key, --witness-key.');
  }
  return `${lines.join('\n')}\n`;
}

function failureToText({ code, message, firstBadIndex, missing }: VerifyFailure): string {
  const lines = [`FAILED: ${message}`, `  code            ${code}`];
  if (missing) lines.push(`  missing range   ${missing.from}..${missing.to - 1}`);
  if (firstBadIndex !== undefined) lines.push(`  first bad index ${firstBadIndex}`);
  return `${lines.join('\n')}\n`;
}

function createProgress(): (done: number, total: number) => void {
  let last = Date.now();
  return (done, total) => {
    const now = Date.now();
    if (now - last < PROGRESS_INTERVAL_MS) return;
    last = now;
    process.stderr.write(`${done} of ${total} rows checked\n`);
  };
}

async function readKeys(flag: '--log-key' | '--witness-key', values: readonly string[]): Promise<string[]> {
  const type = flag === '--log-key' ? SIGNATURE_TYPE_ED25519 : SIGNATURE_TYPE_COSIGNATURE;
  const texts = await Promise.all(
    values.map(async (value) =>
      value.startsWith('@') ? (await readInput(value.slice(1), KEY_FILE_BYTES_MAX)).toString('utf8') : value,
    ),
  );
  const keys = texts.flatMap((text) => text.split(/\s+/)).filter((key) => key !== '');
  for (const key of keys) {
    try {
      requireType(parseVerifierKey(key), type);
    } catch (error) {
      throw new UsageError(`${flag}: ${(error as Error).message}`);
    }
  }
  return keys;
}

async function readInput(file: string, bytesMax: number): Promise<Buffer> {
  const { size } = await readStat(file);
  if (size > bytesMax)
    throw new UsageError(`${file} is larger than ${bytesMax} bytes: is it an export? --in takes that`);
  return readFile(file);
}

async function readStat(file: string) {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  });
  if (!found.isFile()) throw new UsageError(`cannot read ${file}: it is no file`);
  return found;
}

function parseCount(value: string | undefined, flag: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(value)) throw new UsageError(`${flag} takes a whole number`);
  return Number(value);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`${isUsage ? error.message : ((error as Error).stack ?? error)}\n`);
  if (isUsage) process.stderr.write('See --help.\n');
  process.exitCode = 2;
}
