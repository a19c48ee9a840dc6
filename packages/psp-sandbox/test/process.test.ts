import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJsonClient, spawnProcess, until } from '@strongroom/testkit';
import { test } from 'tap';
import { readConfig } from '../src/config.ts';
import { createReceiver } from './receiver.ts';

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes....').toString('base64')}`;

test('F2 the journal and what was not yet reported survive kill -9', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'psp-sandbox-'));
  const receiver = await createReceiver(secret);
  t.teardown(async () => {
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const dataFile = join(folder, 'journal.jsonl');
  const start = async (webhookDelayMs: number) => {
    const sandbox = await spawnProcess({
      name: 'psp-sandbox',
      entry: 'packages/psp-sandbox/src/main.ts',
      env: {
        PSP_SANDBOX_PORT: '0',
        PSP_SANDBOX_DATA: dataFile,
        PSP_WEBHOOK_URL: receiver.url,
        PSP_WEBHOOK_SECRET: secret,
        PSP_WEBHOOK_DELAY_MS: String(webhookDelayMs),
      },
    });
    const { port } = await sandbox.waitForLog(({ msg }) => msg === 'listening');
    return { sandbox, client: createJsonClient(`http://127.0.0.1:${port}`) };
  };
  const body = { reference: 'kept', amount: 700, currency: 'EUR' };
  const request = { headers: { 'idempotency-key': 'k' } };

  const first = await start(60_000);
  const made = await first.client.post<{ id: string }>('/v1/charges', body, request);
  t.equal(made.status, 201);
  await first.sandbox.kill();
  // Cut off in the middle of a line, as a crash during a write leaves it.
  appendFileSync(dataFile, '{"record":"charge","cha');

  const second = await start(5);
  t.match(await second.client.post('/v1/charges', body, request), { status: 200, body: { id: made.body.id } });
  const event = await until(() => receiver.received[0]);
  t.match(event.data, { chargeId: made.body.id, status: 'completed' });
  await until(() => readFileSync(dataFile, 'utf8').includes('"record":"delivery"'));
  await second.sandbox.kill();

  const third = await start(5);
  const journal = await third.client.get<{ entries: { kind: string }[] }>('/v1/journal?reference=kept');
  t.strictSame(
    journal.body.entries.map(({ kind }) => kind),
    ['charge', 'charge-completed'],
  );
  t.equal(await third.sandbox.stop(), 0, 'SIGTERM ends it cleanly');
  t.equal(receiver.received.length, 1, 'a delivered webhook is not sent again');
});

test('S3.2 every fault of the configuration is told at once, without the secret', (t) => {
  const env = {
    PSP_SANDBOX_PORT: 'x',
    PSP_WEBHOOK_URL: 'ftp://x',
    PSP_WEBHOOK_SECRET: 'whsec_short',
    PSP_SLOW_MS: '-1',
  };
  let message = '';
  try {
    readConfig(env);
  } catch (error) {
    message = (error as Error).message;
  }
  for (const name of ['PSP_SANDBOX_PORT', 'PSP_WEBHOOK_URL', 'PSP_WEBHOOK_SECRET', 'PSP_SLOW_MS']) {
    t.match(message, name);
  }
  t.notMatch(message, 'short');
  t.match(readConfig({}), { port: 3010, host: '127.0.0.1' });
  t.end();
});
