import { inspect } from 'node:util';
import { clearLinkOf } from './clear-link.ts';
import {
  type EncryptedValueAccess,
  isEncryptedValue,
  openEncryptedValue,
  type ValueProviders,
} from './encrypted-value.ts';
import { type Kind, RuleFault } from './kinds.ts';
import { createProviders } from './providers.ts';
import { urlWeaknessOf, weaknessOf } from './weakness.ts';

export type ConfigSchema = Readonly<Record<string, Kind<unknown>>>;
type KindValue<K> = K extends Kind<infer T> ? T : never;
export type ConfigOf<S extends ConfigSchema> = { readonly [Name in keyof S]: KindValue<S[Name]> };

/** One fault: the variable and the rule it breaks. Never the value, which may be a secret in the wrong place (S3.2). */
export interface ConfigFault {
  readonly variable: string;
  readonly rule: string;
}

/** Every fault of the configuration at once. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, rule }) => `  ${variable}: ${rule}`);
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${lines.join('\n')}`);
    this.faults = faults;
  }
}

const variableName = /^[A-Z][A-Z0-9_]*$/;

export function defineConfig<const S extends ConfigSchema>(schema: S): S {
  for (const name of Object.keys(schema)) {
    if (!variableName.test(name)) throw new TypeError(`${name} is no name of a variable.`);
  }
  return schema;
}

export interface LoadOptions {
  /** How ENC[…] values are opened; made from the environment when left out. */
  readonly providers?: ValueProviders;
  /** Told about each opening of an ENC[…] value, also a failed one, for the audit (S3.3b). */
  readonly onAccess?: (access: EncryptedValueAccess) => void;
}

export async function loadConfig<S extends ConfigSchema>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
  options: LoadOptions = {},
): Promise<ConfigOf<S>> {
  const providers = options.providers ?? createProviders(environment);
  // Nothing said means production: the strict rules must not hang on remembering a variable.
  const isProduction = (environment['STRONGROOM_ENV'] ?? 'production') === 'production';
  const faults: ConfigFault[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(schema)) {
    try {
      const given = environment[name];
      const text = given === undefined ? undefined : await openedText(name, given, providers, options.onAccess);
      values[name] = readVariable(kind, text, isProduction);
    } catch (error) {
      if (!(error instanceof RuleFault)) throw error;
      faults.push({ variable: name, rule: error.message });
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return hideValues(values) as ConfigOf<S>;
}

async function openedText(
  name: string,
  given: string,
  providers: ValueProviders,
  onAccess: LoadOptions['onAccess'],
): Promise<string> {
  if (!isEncryptedValue(given)) return given;
  try {
    return await openEncryptedValue({ variable: name, text: given, providers, onAccess });
  } catch (cause) {
    throw new RuleFault('is an ENC[…] value that could not be opened', { cause });
  }
}

function readVariable(kind: Kind<unknown>, text: string | undefined, isProduction: boolean): unknown {
  // An empty variable is how compose files and shells leave one out.
  if (text === undefined || text === '') {
    if (kind.absent !== undefined) {
      if (isProduction && kind.kind !== 'url' && kind.sensitive) {
        throw new RuleFault('must be given: production takes no default for a secret');
      }
      if (isProduction) refuseClearLink(kind, kind.defaultText);
      return kind.absent;
    }
    if (kind.optional) return undefined;
    throw new RuleFault(`must be given: ${kind.rule}`);
  }
  const value = kind.parse(text);
  if (isProduction && kind.sensitive) {
    const weakness = kind.kind === 'url' ? urlWeaknessOf(text) : weaknessOf(text);
    if (weakness !== undefined) throw new RuleFault(weakness);
  }
  if (isProduction) refuseClearLink(kind, text);
  return value;
}

function refuseClearLink(kind: Kind<unknown>, text: string | undefined): void {
  if (kind.kind !== 'url' || kind.mayBeClear === true || text === undefined) return;
  const rule = clearLinkOf(text);
  if (rule !== undefined) throw new RuleFault(rule);
}

/** A configuration that is logged by mistake shows the names of its variables only. */
function hideValues(values: Record<string, unknown>): Record<string, unknown> {
  const show = () => Object.fromEntries(Object.keys(values).map((name) => [name, '[config]']));
  Object.defineProperty(values, 'toJSON', { value: show });
  Object.defineProperty(values, inspect.custom, { value: show });
  return Object.freeze(values);
}
