import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

const usageExitCode = 2;

/** The options of a command. `--help` prints its help and ends; what it doesn't know ends with a word, and with 2. */
export function readOptions<Options extends ParseArgsOptionsConfig>(help: string, options: Options) {
  const known = { ...options, help: { type: 'boolean', short: 'h', default: false } } as const;
  try {
    const { values } = parseArgs({ options: known });
    if ('help' in values && values.help === true) {
      process.stdout.write(help);
      process.exit(0);
    }
    return values;
  } catch (error) {
    // Of the message only what is wrong: the rest is about arguments that begin with a dash.
    console.error(`${(error as Error).message.split('. ')[0]}.\n\n${help}`);
    process.exit(usageExitCode);
  }
}
