// What the running system shows to the network: its listeners, what each answers with, and who the data stores let in.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { openSql } from '@strongroom/testkit';
import type { Test } from 'tap';
import { openProcessTable } from '../../scripts/support/process-table.ts';
import type { TestSystem } from './system-fixture.ts';

const listening = '0A'; // TCP_LISTEN of include/net/tcp_states.h
const loopbackHex = '0100007F';

interface Listener {
  readonly address: string;
  readonly port: number;
}

/** Of each process by the kernel's own tables, which no process can leave anything out of (proc(5), /proc/net/tcp). */
async function listenersOf(pid: number): Promise<Listener[]> {
  const inodes = new Set<string | undefined>();
  for (const file of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
    inodes.add(/^socket:\[(\d+)\]$/.exec(target)?.[1]);
  }
  const rows = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')));
  return rows
    .flatMap((text) => text.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === listening && inodes.has(inode))
    .map(([, local = '']) => {
      const [address = '', port = ''] = local.split(':');
      return { address, port: Number.parseInt(port, 16) };
    });
}

/** Its own port, and one for metrics; engines have one each. */
export async function checkListeners(t: Test, { dataDir, plans, engines }: TestSystem): Promise<void> {
  const { superuserUrl } = engines.postgres;
  const ports = new Map([
    ...plans.map(({ name, ports: [own] }) => [name as string, own?.port] as const),
    ['postgres', Number(new URL(superuserUrl).port)] as const,
    ['redis', Number(new URL(engines.redisUrl).port)] as const,
    ['nats', Number(new URL(engines.natsUrl).port)] as const,
  ]);
  const withMetrics = new Set(['gateway', 'auth', 'payments', 'profile', 'admin']);
  const running = await openProcessTable(dataDir).alive();
  running.delete('start'); // this process
  t.same([...running.keys()].sort(), [...ports.keys()].sort(), 'every process is known');
  for (const [name, pid] of running) {
    const found = await listenersOf(pid);
    t.same(
      found.map(({ address }) => address),
      Array(withMetrics.has(name) ? 2 : 1).fill(loopbackHex),
      `${name}: no listener but its own, on loopback`,
    );
    t.ok(
      found.some(({ port }) => port === ports.get(name)),
      `${name} listens where it says`,
    );
  }
}

const witnessPolicy = "default-src 'none';frame-ancestors 'none'";
const servicePolicy = "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'";
const edgePolicy = servicePolicy.replace(';', ";object-src 'none';");

/** helmet's, as a listener of data answers them whatever is asked. */
const snapshot = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};
const telling = ['server', 'x-powered-by', 'via'];

export async function checkHeaders(t: Test, system: TestSystem): Promise<void> {
  const running = await openProcessTable(system.dataDir).alive();
  for (const name of ['gateway', 'auth', 'payments', 'profile', 'admin'] as const) {
    const pid = running.get(name) ?? 0;
    const own = Number(new URL(system.direct(name)).port);
    for (const { port } of await listenersOf(pid)) {
      const policy = name === 'gateway' && port === own ? edgePolicy : servicePolicy;
      const expected = { ...snapshot, 'content-security-policy': policy };
      for (const path of ['/livez', '/metrics', '/nothing', '/strongroom.auth.v1.AuthService/GetMe']) {
        const { headers, status } = await fetch(`http://127.0.0.1:${port}${path}`);
        const shown = Object.fromEntries(Object.keys(expected).map((field) => [field, headers.get(field)]));
        t.same(shown, expected, `${name} at ${port}: ${path} (${status})`);
        t.notOk(
          telling.find((field) => headers.has(field)),
          'and says nothing of what it is made of',
        );
        t.equal(
          path === '/metrics' && status === 200,
          path === '/metrics' && port !== own,
          'metrics have their own port',
        );
      }
    }
  }
  const witness = system.plans.find((plan) => plan.name === 'witness')?.ports[0]?.port;
  const { headers } = await fetch(`http://127.0.0.1:${witness}/livez`);
  t.equal(headers.get('content-security-policy'), witnessPolicy, 'the witness has its own');
}

/** What a server says to one line of a client without a name. */
function answerTo(url: string, line: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(`${line}\r\n`));
    socket.on('data', (chunk) => {
      text += chunk;
      if (/^-|-ERR/m.test(text)) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

export async function checkStores(t: Test, { engines }: TestSystem): Promise<void> {
  t.match(await answerTo(engines.redisUrl, 'PING'), /^-NOAUTH/, 'Redis');
  t.match(await answerTo(engines.natsUrl, 'CONNECT {"verbose":true}'), /-ERR 'Authorization Violation'/, 'NATS');
  for (const name of ['postgres', 'auth_app', 'payments_app', 'nobody']) {
    for (const password of ['', name]) {
      const url = new URL(engines.postgres.superuserUrl);
      Object.assign(url, { username: name, password });
      const sql = openSql(url.href);
      await t.rejects(sql`select 1`, `PostgreSQL: ${name}`);
      await sql.end();
    }
  }
}
