import { Redis } from 'ioredis';
import { AckPolicy, type NatsConnection } from 'nats';
import { test } from 'tap';
import { connectNats, createPrivateEngine } from '../src/index.ts';
import { serviceUrls } from '../src/private-engines.ts';

test('S4.1 in Redis each service has its own keys and no command that looks around', async (t) => {
  const engine = await createPrivateEngine('redis');
  t.teardown(engine.close);
  const urls = await serviceUrls(engine);
  const clients = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [name, new Redis(url, { maxRetriesPerRequest: 1 })]),
  ) as Record<keyof typeof urls, Redis>;
  t.teardown(() => {
    for (const client of Object.values(clients)) client.disconnect();
  });
  const { auth, payments, gateway, profile, admin } = clients;

  t.equal(await auth.set('deny:usr:1', '5', 'PX', 60_000), 'OK');
  for (const reader of [payments, gateway, profile, admin]) {
    t.strictSame(await reader.mget('deny:ready', 'deny:usr:1'), [null, '5']);
    await t.rejects(reader.set('deny:usr:1', '0'), /NOPERM/, 'a revocation is not theirs to lift');
    await t.rejects(reader.del('deny:usr:1'), /NOPERM/);
    await t.rejects(reader.get('account_lockout:x'), /NOPERM/);
  }
  t.equal(await gateway.set('dpop:x', '1', 'EX', 60, 'NX'), 'OK');
  await t.rejects(auth.get('dpop:x'), /NOPERM/);
  for (const client of Object.values(clients)) {
    t.equal(await client.eval("return redis.call('incr', KEYS[1])", 1, `rl:general:${client.options.username}`), 1);
    await t.rejects(client.eval("return redis.call('get', 'secret')", 0), /can't access/, 'not by script');
    for (const [command, ...args] of [
      ['flushall'],
      ['flushdb'],
      ['keys', '*'],
      ['scan', '0'],
      ['randomkey'],
      ['config', 'get', '*'],
      ['acl', 'list'],
      ['client', 'list'],
      ['monitor'],
      ['script', 'flush'],
      ['subscribe', 'x'],
      ['publish', 'x', 'y'],
      ['shutdown'],
    ] as const) {
      await t.rejects(client.call(command, ...args), /NOPERM/, command);
    }
  }
});

test('S4.1 on NATS no service speaks in the name of another, or reads what is not for it', async (t) => {
  const engine = await createPrivateEngine('nats');
  t.teardown(engine.close);
  const urls = await serviceUrls(engine);
  const connections = new Map<string, NatsConnection>();
  t.teardown(() => Promise.all([...connections.values()].map((connection) => connection.close())));
  for (const [name, url] of Object.entries(urls)) connections.set(name, await connectNats(url));
  const of = (name: string) => connections.get(name) as NatsConnection;
  const refused = async (name: string, act: (connection: NatsConnection) => void) => {
    const connection = await connectNats(urls[name as keyof typeof urls]);
    const seen = (async () => {
      for await (const status of connection.status()) if (/permission/i.test(String(status.data))) return true;
      return false;
    })();
    act(connection);
    await connection.flush();
    const denied = await seen;
    await connection.close();
    return denied;
  };

  const manager = await of('gateway').jetstreamManager({ checkAPI: false });
  await manager.streams.add({ name: 'EVENTS', subjects: ['strongroom.events.>'] });
  await of('profile')
    .jetstreamManager({ checkAPI: false })
    .then((own) => own.streams.add({ name: 'NOTICES', subjects: ['strongroom.notices.>'] }));
  for (const name of ['auth', 'payments', 'profile', 'admin']) {
    await of(name).jetstream().publish(`strongroom.events.${name}.X`, name);
    const other = name === 'auth' ? 'payments' : 'auth';
    t.ok(await refused(name, (own) => own.publish(`strongroom.events.${other}.X`, 'forged')), `${name} as ${other}`);
    t.ok(await refused(name, (own) => void own.subscribe('strongroom.events.>')), `${name} listens to events`);
    t.ok(await refused(name, (own) => void own.subscribe('strongroom.notices.>')), `${name} listens to notices`);
    t.ok(await refused(name, (own) => void own.subscribe('_INBOX.>')), `${name} listens to inboxes`);
    t.ok(await refused(name, (own) => void own.subscribe(`_INBOX_${other}.>`)), `${name} listens to ${other}'s inbox`);
    t.ok(await refused(name, (own) => own.publish('$JS.API.STREAM.DELETE.EVENTS')), `${name} deletes a stream`);
    t.ok(await refused(name, (own) => own.publish('$JS.API.STREAM.PURGE.EVENTS')), `${name} purges a stream`);
  }
  t.ok(await refused('gateway', (own) => own.publish('strongroom.events.auth.X')), 'the gateway makes no events');
  t.ok(await refused('payments', (own) => own.publish('strongroom.signals.signing-keys')), 'nor does it rotate keys');
  of('auth').publish('strongroom.signals.signing-keys');
  await of('auth').flush();

  const admin = await of('admin').jetstreamManager({ checkAPI: false });
  await admin.consumers.add('EVENTS', { durable_name: 'audit-log', ack_policy: AckPolicy.Explicit });
  const consumer = await of('admin').jetstream().consumers.get('EVENTS', 'audit-log');
  const messages = await consumer.fetch({ max_messages: 4, expires: 5_000 });
  const subjects: string[] = [];
  for await (const message of messages) {
    subjects.push(message.subject);
    t.ok(await message.ackAck(), 'acknowledged');
    if (subjects.length === 4) break;
  }
  t.strictSame(
    subjects,
    ['auth', 'payments', 'profile', 'admin'].map((name) => `strongroom.events.${name}.X`),
  );
  t.ok(
    await refused('auth', (own) => own.publish('$JS.API.CONSUMER.MSG.NEXT.EVENTS.audit-log', '1')),
    "auth takes the audit log's events",
  );

  const flags = await of('admin').jetstream().views.kv('flags', { history: 1 });
  await flags.put('registration', 'off');
  for (const name of ['auth', 'payments', 'profile']) {
    const read = await of(name).jetstream().views.kv('flags', { bindOnly: true });
    t.equal((await read.get('registration'))?.string(), 'off', `${name} reads a flag`);
    t.ok(await refused(name, (connection) => connection.publish('$KV.flags.registration')), `${name} sets none`);
  }
});
