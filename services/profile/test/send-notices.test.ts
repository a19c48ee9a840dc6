import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBus } from '@strongroom/platform/bus';
import { createKeyring } from '@strongroom/platform/crypto';
import { serviceAct } from '@strongroom/platform/database';
import { appendNotice, createNoticeKey, createOutbox } from '@strongroom/platform/outbox';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { createTestNats, until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { createMailboxPort } from '../src/notice/mailbox-port.ts';
import type { MessagePort } from '../src/notice/message-port.ts';
import { startNoticeSender } from '../src/notice/send-notices.ts';
import { createWebhookPort } from '../src/notice/webhook-port.ts';
import { startProfile } from './profile-fixture.ts';

const logger = createLogger({ name: 'profile', level: 'silent' });
const metrics = createMetrics({ name: 'profile' });
const act = serviceAct('auth');

async function startSender(t: Test, port: MessagePort) {
  const { database, superuser } = await startProfile(t);
  const nats = await createTestNats();
  const bus = createBus({ url: nats.url, name: 'profile', logger, metrics });
  const noticeKey = createNoticeKey(createKeyring([{ id: 'notice-1', key: randomBytes(32) }]));
  const outbox = createOutbox({ database, bus, logger, metrics, confirm: async () => [] });
  outbox.start();
  const sender = startNoticeSender({ database, bus, noticeKey, port, logger, metrics });
  t.teardown(async () => {
    await sender.stop();
    await outbox.stop();
    await bus.close();
    await nats.close();
  });
  const ask = (template: string, expireTime = new Date(Date.now() + 60_000)) =>
    database.transaction(act, (tx) =>
      appendNotice(tx, noticeKey, {
        userId: '',
        template,
        email: 'ada@example.com',
        values: { name: 'Ada', token: 'canary-of-the-reset-token' },
        expireTime,
      }),
    );
  return { ask, superuser, bus };
}

t.test('B-notify: a notice reaches the development mailbox once, and its token stands nowhere in clear', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mailbox-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { ask, superuser } = await startSender(t, await createMailboxPort(folder));
  await ask('password-reset');
  const rows = await superuser`select encode(payload, 'escape') as text from strongroom.outbox`;
  t.notMatch(JSON.stringify(rows), 'canary-of-the-reset-token', 'B-canary: sealed in the outbox');
  const [file] = await until(async () => {
    const files = (await readdir(folder)).filter((name) => !name.startsWith('.'));
    return files.length > 0 ? files : undefined;
  });
  const message = JSON.parse(await readFile(join(folder, file ?? ''), 'utf8'));
  t.match(message, { to: 'ada@example.com', subject: 'Reset your password' });
  t.match(message.text, 'canary-of-the-reset-token');
  await until(async () => (await superuser`select 1 from notices where state = 'sent'`).length === 1);
  t.equal((await readdir(folder)).length, 1);
});

t.test(
  'B-notify: an unknown template is parked and an expired notice dropped, and neither holds others up',
  async (t) => {
    const sent: string[] = [];
    const port: MessagePort = {
      name: 'list',
      send: async ({ subject }) => void sent.push(subject),
      close: async () => undefined,
    };
    const { ask } = await startSender(t, port);
    await ask('no-such-template');
    await ask('password-changed', new Date(Date.now() - 1_000));
    await ask('mfa-enabled');
    await until(async () => sent.length > 0);
    t.same(sent, ['A second factor was added']);
  },
);

t.test(
  'B-notify: a webhook takes messages signed by Standard Webhooks, and one that fails is tried again',
  async (t) => {
    const received: { headers: IncomingMessage['headers']; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      received.push({ headers: request.headers, body });
      response.writeHead(received.length === 1 ? 500 : 204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/messages`;
    const port = createWebhookPort({ url, secret });
    t.teardown(() => port.close());
    const { ask } = await startSender(t, port);
    await ask('password-changed');
    await until(async () => received.length === 2);
    const { Webhook } = await import('standardwebhooks');
    const [first, second] = received;
    t.equal(first?.headers['webhook-id'], second?.headers['webhook-id'], 'the receiver can know it again');
    const verified = new Webhook(secret).verify(second?.body ?? '', second?.headers as Record<string, string>);
    t.match(verified, { to: 'ada@example.com', subject: 'Your password was changed' });
  },
);
