// `npm start`: everything from a fresh clone, then the journey of one payment, then it stays up until Ctrl-C.
import pc from 'picocolors';
import { runJourney } from './journey/journey.ts';
import { resetLimits } from './support/limits.ts';
import { readOptions } from './support/options.ts';
import { type RunningSystem, startSystem } from './system/start-system.ts';

const help = `Usage: npm start [-- options]

Starts PostgreSQL, Redis and NATS (or uses POSTGRES_URL, REDIS_URL, NATS_URL), migrates, starts all processes, and walks
one payment through the system. Then it stays up until Ctrl-C.

  --once        end after the journey; exit 0 only if every step held
  --no-journey  start without the journey
  --data DIR    data directory (default .data)
  --help        this text

Ports are set by GATEWAY_PORT (3000), AUTH_PORT (3001), PAYMENTS_PORT (3002), ADMIN_PORT (3003), PROFILE_PORT (3004),
WITNESS_PORT (3005) and PSP_SANDBOX_PORT (3010), those of the metrics by GATEWAY_METRICS_PORT (9464), AUTH_METRICS_PORT (9465),
PAYMENTS_METRICS_PORT (9466), PROFILE_METRICS_PORT (9467) and ADMIN_METRICS_PORT (9468). Every other variable is in .env.example.
`;

const values = readOptions(help, {
  once: { type: 'boolean', default: false },
  'no-journey': { type: 'boolean', default: false },
  data: { type: 'string', default: '.data' },
});

const ending = new AbortController();
let starting: Promise<RunningSystem> | undefined;

async function end(code: number): Promise<never> {
  // A second Ctrl-C while the first one is at work changes nothing: the end is bounded.
  if (ending.signal.aborted) return await new Promise<never>(() => undefined);
  ending.abort(new Error('stopped while starting'));
  console.log(pc.dim('\nStopping…'));
  const system = await starting?.catch(() => undefined);
  await system?.stop();
  process.exit(code);
}

async function main(): Promise<void> {
  const startMs = performance.now();
  const log = (line: string) => console.log(pc.dim(`  ${line}`));
  starting = startSystem({ dataDir: values.data, log, signal: ending.signal });
  const system = await starting;
  console.log(`${pc.green('✓')} up in ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
  const hasHeld = values['no-journey'] || (await runJourney(system));
  if (values.once) await end(hasHeld ? 0 : 1);
  // The journey's sign-ins came from this machine: whoever tries the system from here has the whole budget.
  if (!values['no-journey']) await resetLimits(system.engines.redisUrl);
  console.log(describe(system));
  const broken = await system.broken;
  if (ending.signal.aborted) return;
  console.error(pc.red(`\n${broken} has ended by itself; its log is ${values.data}/logs/${broken}.log`));
  await end(1);
}

function describe({ gatewayUrl, dataDir }: RunningSystem): string {
  return [
    '',
    `${pc.bold('Strongroom is up.')} Ctrl-C stops it.`,
    '',
    `  REST, Connect, gRPC-Web  ${gatewayUrl}`,
    `  console                  ${gatewayUrl}/console/`,
    `  reference                ${gatewayUrl}/reference`,
    `  first administrator      ${dataDir}/first-admin.json`,
    `  mailbox, logs            ${dataDir}/mailbox, ${dataDir}/logs`,
    '',
  ].join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
main().catch((error: Error) => {
  if (ending.signal.aborted) return;
  console.error(`${pc.red('✗')} ${error.message}`);
  process.exitCode = 1;
});
