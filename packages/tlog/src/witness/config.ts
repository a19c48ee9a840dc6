import { readFile } from 'node:fs/promises';
import { parseVerifierKey, requireType, SIGNATURE_TYPE_ED25519, type VerifierKey } from '../note.ts';

const LOG_KEYS_MAX = 1_000;
const PORT_DEFAULT = 3005;

export interface WitnessConfig {
  /** WITNESS_NAME: the name of its key, a schema-less URL by custom. */
  readonly name: string;
  /** WITNESS_DIRECTORY: key and checkpoints; the witness's own, never the log's. */
  readonly directory: string;
  /** WITNESS_HOST, default 127.0.0.1. */
  readonly host: string;
  /** WITNESS_PORT, default 3005; 0 takes a free one. */
  readonly port: number;
  /** WITNESS_LOG_KEYS: verifier keys (type 1) with spaces between them. */
  readonly logKeys: readonly VerifierKey[];
  /** WITNESS_LOG_KEYS_FILE: more of them, one a line; read again at each request, may come to be later. */
  readonly logKeysFile: string | undefined;
}

/** Throws an Error that names every variable that is wrong. */
export function loadWitnessConfig(environment: Readonly<Record<string, string | undefined>>): WitnessConfig {
  const faults: string[] = [];
  const name = environment['WITNESS_NAME'] ?? '';
  const directory = environment['WITNESS_DIRECTORY'] ?? '';
  const portText = environment['WITNESS_PORT'] ?? String(PORT_DEFAULT);
  const logKeysFile = environment['WITNESS_LOG_KEYS_FILE'] || undefined;
  if (name === '') faults.push('WITNESS_NAME is needed, say witness.example.com/w1');
  if (directory === '') faults.push('WITNESS_DIRECTORY is needed');
  if (!/^[0-9]{1,5}$/.test(portText) || Number(portText) > 65_535) faults.push('WITNESS_PORT is no port');
  let logKeys: VerifierKey[] = [];
  try {
    logKeys = parseLogKeys(environment['WITNESS_LOG_KEYS'] ?? '');
  } catch (error) {
    faults.push(`WITNESS_LOG_KEYS: ${(error as Error).message}`);
  }
  if (logKeys.length === 0 && !logKeysFile) faults.push('WITNESS_LOG_KEYS or WITNESS_LOG_KEYS_FILE is needed');
  if (faults.length > 0) throw new Error(faults.join('; '));
  const host = environment['WITNESS_HOST'] || '127.0.0.1';
  return { name, directory, host, port: Number(portText), logKeys, logKeysFile };
}

/** The keys of both variables. The file is there only once the log has made its key: until then it counts as empty. */
export function createLogKeyReader({ logKeys, logKeysFile }: WitnessConfig): () => Promise<readonly VerifierKey[]> {
  return async () => {
    if (!logKeysFile) return logKeys;
    try {
      return [...logKeys, ...parseLogKeys(await readFile(logKeysFile, 'utf8'))];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return logKeys;
      throw error;
    }
  };
}

function parseLogKeys(text: string): VerifierKey[] {
  const keys = text
    .split(/\s+/)
    .filter((key) => key !== '')
    .map(parseVerifierKey);
  if (keys.length > LOG_KEYS_MAX) throw new Error(`more than ${LOG_KEYS_MAX} log keys`);
  for (const key of keys) requireType(key, SIGNATURE_TYPE_ED25519);
  return keys;
}
