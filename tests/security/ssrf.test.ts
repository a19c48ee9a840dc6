// Where a merchant's webhook must not lead: addresses of our own networks, in every spelling that a parser accepts.
import t from 'tap';
import { createWebhookTargets } from '../../services/payments/src/webhook-endpoint/webhook-target.ts';

const vectors = [
  'https://127.0.0.1/',
  'https://127.0.0.2:8443/',
  'https://127.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://2130706433/',
  'https://017700000001/',
  'https://0x7f.1/',
  'https://0x7f000001/',
  'https://127.0.0.1.nip.localhost/',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/',
  'https://10.0.0.1/',
  'https://10.255.255.255/',
  'https://172.16.0.1/',
  'https://172.31.255.254/',
  'https://192.168.0.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[::ffff:169.254.169.254]/',
  'https://[fd00:ec2::254]/',
  'https://[::]/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:7f00:1::]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[ff02::1]/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://198.18.0.1/',
  'https://192.0.2.1/',
  'https://localhost/',
  'https://localhost./',
  'https://LOCALHOST/',
  'https://a.localhost/',
  'https://metadata.google.internal/',
  'https://redis/',
  'https://auth.local/',
  'https://router.lan/',
  'https://printer.home.arpa/',
  'http://example.com/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'ftp://example.com/',
  'data:text/plain,x',
  'javascript:alert(1)',
  'https://user@example.com/',
  'https://user:secret@127.0.0.1/',
  'https://example.com@127.0.0.1/',
  'https://example.com#@127.0.0.1/',
  'https://127.0.0.1\\@example.com/',
  'https:127.0.0.1/',
  'https://',
  '//127.0.0.1/',
  '/hook',
];

t.test('B-hooks: SSRF: no spelling of an inner address is taken for an endpoint', async (t) => {
  t.ok(vectors.length >= 40, 'forty vectors');
  const targets = createWebhookTargets({ timeoutMs: 500, allowInsecure: false });
  t.teardown(() => targets.close());
  for (const url of vectors) t.equal(targets.isAllowedUrl(url), false, url);
  for (const url of ['https://example.com/hook', 'https://1.1.1.1/', 'https://[2606:4700:4700::1111]/hook']) {
    t.equal(targets.isAllowedUrl(url), true, url);
  }
});
