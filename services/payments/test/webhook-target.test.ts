// B-hooks, SSRF: no way of writing an address leads into our network.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { createWebhookTargets, isPublicAddress, TargetRefusedError } from '../src/webhook-endpoint/webhook-target.ts';

const refusedAddresses = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::127.0.0.1',
  'fe80::1',
  'fec0::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2001::1',
  '2001:db8::1',
  '100::1',
  '',
  'localhost',
  '1.2.3',
  '0x7f.1',
];
const publicAddresses = ['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'];

t.test('B-hooks: addresses that are not globally routable are told from those that are', (t) => {
  for (const address of refusedAddresses) t.equal(isPublicAddress(address), false, `refused: ${address}`);
  for (const address of publicAddresses) t.equal(isPublicAddress(address), true, `public: ${address}`);
  t.end();
});

t.test('B-hooks: every spelling of an inner address is refused when it is registered', (t) => {
  const targets = createWebhookTargets({ timeoutMs: 500, allowInsecure: false });
  const refused = [
    'http://example.com/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://db.internal/',
    'https://payments/',
    'https://printer.local/',
    'https://user:secret@example.com/',
    'https://example.com/#fragment',
    'ftp://example.com/',
    'file:///etc/passwd',
    'https://127。0。0。1/',
    'not a url',
  ];
  for (const url of refused) t.equal(targets.isAllowedUrl(url), false, url);
  for (const url of ['https://example.com/hook', 'https://8.8.8.8/hook', 'https://example.com:8443/hook?a=b']) {
    t.equal(targets.isAllowedUrl(url), true, url);
  }
  t.end();
});

t.test('B-hooks: what resolves or leads to an inner address is refused at the connection', async (t) => {
  let hits = 0;
  const server = createServer((_, response) => {
    hits += 1;
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const targets = createWebhookTargets({ timeoutMs: 1_000, allowInsecure: false });
  t.teardown(() => targets.close());
  // localhost resolves here, as a name does that its owner has pointed at us after it was registered (rebinding).
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
    for (const protocol of ['https', 'http']) {
      const sent = request(`${protocol}://${host}:${port}/`, { method: 'POST', dispatcher: targets.dispatcher });
      const error = await sent.then(
        () => undefined,
        (cause: Error) => cause,
      );
      const isRefused = error instanceof TargetRefusedError || error?.cause instanceof TargetRefusedError;
      t.ok(isRefused, `${protocol}://${host}: ${error?.name} ${error?.message}`);
    }
  }
  t.equal(hits, 0, 'nothing was ever connected');
});
