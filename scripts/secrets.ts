// `npm run secrets -- COMMAND`: keys and ENC[…] values (S3.3b). A value comes by standard input alone: an argument would
// stand in the process list and in the shell's history.
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import {
  createProviders,
  type EncryptedValueAccess,
  isEncryptedValue,
  openEncryptedValue,
  sealEncryptedValue,
  type ValueProvider,
  type ValueProviders,
} from '@strongroom/platform/config';
import { isSealingService, reencryptService, type SealingService, sealingServices } from './secrets/re-encrypt.ts';

const help = `Usage: npm run secrets -- COMMAND [options]

  generate-key               print a new master key (64 hex digits) for ENCRYPTION_MASTER_KEY
  encrypt --name VARIABLE    seal the value on standard input; prints ENC[provider:…]
  decrypt --name VARIABLE    open the ENC[…] on standard input; prints the value
  rotate  --file FILE        seal every ENC[…] of a .env file again under the key in use, in place
  rotate  --service NAME     seal every encrypted column of auth, payments, profile or admin again under the key in
                             use, while the service runs; broken off, run it again
  test                       seal and open a random value with each provider that has a key

  --provider NAME            local (default) or awskms
  --help                     this text

A value is bound to its variable's name: it can't be moved to another one. Keys come from ENCRYPTION_MASTER_KEY,
ENCRYPTION_KEY_ID and, for values sealed under older keys, ENCRYPTION_PREVIOUS_KEYS (id:key,id:key); or from AWS KMS by
AWS_KMS_KEY_ID. rotate --service takes the service's own variables: those keys and DATABASE_URL (AUDIT_DATABASE_URL for
admin; without it the database that npm start left in .data/engines.json). Each access is written to standard error as a JSON line for the audit: provider, key id, name, outcome.
`;

const masterKeyBytes = 32;
const inputBytesMax = 65_536;
const variableName = /^[A-Z][A-Z0-9_]{0,127}$/;

class UsageError extends Error {}

interface Options {
  readonly name?: string | undefined;
  readonly file?: string | undefined;
  readonly service?: string | undefined;
  readonly provider: string;
}

function recordAccess(access: EncryptedValueAccess): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event: 'SECRET_ACCESSED', ...access })}\n`);
}

async function encrypt(options: Options, providers: ValueProviders): Promise<void> {
  const variable = nameOf(options);
  const provider = providerOf(options, providers);
  const value = await readInput();
  process.stdout.write(`${await seal(provider, variable, value)}\n`);
}

async function decrypt(options: Options, providers: ValueProviders): Promise<void> {
  const variable = nameOf(options);
  const sealed = (await readInput()).trim();
  if (!isEncryptedValue(sealed)) throw new UsageError('Standard input holds no ENC[…] value.');
  process.stdout.write(`${await open(variable, sealed, providers)}\n`);
}

async function rotate(options: Options, providers: ValueProviders): Promise<void> {
  if (options.service !== undefined) return reencryptService(serviceOf(options.service));
  if (options.file === undefined) throw new UsageError('rotate needs --file FILE or --service NAME.');
  const provider = providerOf(options, providers);
  const lines = (await readFile(options.file, 'utf8')).split('\n');
  let sealedCount = 0;
  for (const [index, line] of lines.entries()) {
    const assignment = /^([A-Z][A-Z0-9_]{0,127})=(ENC\[.*\])\s*$/.exec(line);
    if (assignment?.[1] === undefined || assignment[2] === undefined) continue;
    const value = await open(assignment[1], assignment[2], providers);
    lines[index] = `${assignment[1]}=${await seal(provider, assignment[1], value)}`;
    sealedCount += 1;
    process.stderr.write(`sealed ${assignment[1]} again\n`);
  }
  // Beside it and renamed over it: a crash leaves the old file or the new one, whole.
  const next = `${options.file}.next`;
  await writeFile(next, lines.join('\n'), { mode: 0o600 });
  await rename(next, options.file);
  process.stdout.write(`${sealedCount} values sealed again with ${provider.name}\n`);
}

async function test(providers: ValueProviders): Promise<void> {
  let failed = 0;
  for (const provider of providers.values()) {
    if (provider.name === 'awskms' && !process.env['AWS_KMS_KEY_ID']) {
      process.stdout.write('- awskms: AWS_KMS_KEY_ID is not set\n');
      continue;
    }
    const value = randomBytes(24).toString('base64url');
    try {
      const sealed = await sealEncryptedValue(provider, 'STRONGROOM_SELF_TEST', value);
      const opened = await openEncryptedValue({ variable: 'STRONGROOM_SELF_TEST', text: sealed, providers });
      if (opened !== value) throw new Error('the value came back changed');
      process.stdout.write(`✓ ${provider.name}\n`);
    } catch (error) {
      failed += 1;
      process.stdout.write(`✗ ${provider.name}: ${(error as Error).message}\n`);
    }
  }
  if (!providers.has('local')) process.stdout.write('- local: ENCRYPTION_MASTER_KEY is not set\n');
  if (failed > 0) process.exitCode = 1;
}

async function seal(provider: ValueProvider, variable: string, value: string): Promise<string> {
  const sealed = await sealEncryptedValue(provider, variable, value);
  recordAccess({ provider: provider.name, variable, keyId: '', operation: 'seal', outcome: 'ok' });
  return sealed;
}

async function open(variable: string, sealed: string, providers: ValueProviders): Promise<string> {
  return await openEncryptedValue({ variable, text: sealed, providers, onAccess: recordAccess });
}

function serviceOf(name: string): SealingService {
  if (isSealingService(name)) return name;
  throw new UsageError(`${name} seals nothing: say ${sealingServices.join(', ')}.`);
}

function nameOf({ name }: Options): string {
  if (name === undefined || !variableName.test(name)) {
    throw new UsageError("--name VARIABLE is needed: the variable's name, in capitals.");
  }
  return name;
}

function providerOf({ provider }: Options, providers: ValueProviders): ValueProvider {
  const found = providers.get(provider);
  if (found !== undefined) return found;
  const hint = provider === 'local' ? ' Set ENCRYPTION_MASTER_KEY (npm run secrets -- generate-key).' : '';
  throw new UsageError(`There is no key for the provider ${provider}.${hint}`);
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Type the value, then Ctrl-D: ');
  const value = (await readText(process.stdin)).replace(/\r?\n$/, '');
  if (value === '') throw new UsageError('Standard input is empty: pipe the value in.');
  if (Buffer.byteLength(value) > inputBytesMax) throw new UsageError(`A value has at most ${inputBytesMax} bytes.`);
  return value;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      file: { type: 'string' },
      service: { type: 'string' },
      provider: { type: 'string', default: 'local' },
      help: { type: 'boolean', default: false },
    },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(help);
    return;
  }
  if (rest.length > 0) throw new UsageError('A value is never an argument: pipe it in by standard input.');
  if (command === 'generate-key') {
    process.stdout.write(`${randomBytes(masterKeyBytes).toString('hex')}\n`);
    return;
  }
  const providers = createProviders(process.env);
  if (command === 'encrypt') await encrypt(values, providers);
  else if (command === 'decrypt') await decrypt(values, providers);
  else if (command === 'rotate') await rotate(values, providers);
  else if (command === 'test') await test(providers);
  else throw new UsageError(`There is no command ${command}. See: npm run secrets -- --help`);
}

try {
  await main();
} catch (error) {
  // Whatever went wrong, its message names no value.
  process.stderr.write(`secrets: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
