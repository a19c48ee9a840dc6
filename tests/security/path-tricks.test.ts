// Paths that normalisers read in different ways: the edge reads each once, and none leads to another route or file.
import t from 'tap';
import { sendRaw } from '../../gateway/test/raw-http.ts';
import { startContractEdge } from './contract-edge.ts';

const edge = await startContractEdge(t, (_method, request) => ({ payment: { id: (request as { id?: string }).id } }));
const token = edge.mesh.tokens.token({ role: 'CUSTOMER' });

const vectors = [
  '/api/v1/payments/../admin/users',
  '/api/v1/payments/%2e%2e/admin/users',
  '/api/v1/payments/%2E%2E/admin/users',
  '/api/v1/payments/.%2e/admin/users',
  '/api/v1/payments/..%2fadmin%2fusers',
  '/api/v1/payments/..%5cadmin%5cusers',
  '/api/v1/payments/..\\admin\\users',
  '/api/v1/payments/%252e%252e/admin/users',
  '/api/v1/payments/%252e%252e%252fadmin/users',
  '/api/v1/payments/..;/admin/users',
  '/api/v1/payments/..;a=b/admin/users',
  '/api/v1/payments/..%00/admin/users',
  '/api/v1/payments/%c0%ae%c0%ae/admin/users',
  '/api/v1/payments/%e0%80%ae%e0%80%ae/admin/users',
  '/api/v1/payments/%u002e%u002e/admin/users',
  '/api/v1//admin/users',
  '//api/v1/admin/users',
  '/api//v1/admin/users',
  '/./api/v1/admin/users',
  '/api/./v1/admin/users',
  '/api/v1/admin/users/',
  '/api/v1/admin/users/.',
  '/api/v1/admin/users%2f',
  '/api/v1/admin/users%20',
  '/api/v1/admin/users%09',
  '/api/v1/admin/users%00',
  '/api/v1/admin/users;jsessionid=1',
  '/api/v1/admin%2fusers',
  '/api/v1%2fadmin/users',
  '/API/V1/ADMIN/USERS',
  '/api/V1/admin/users',
  '/api/v01/admin/users',
  '/api/v1.0/admin/users',
  '/api/v1/admin\\users',
  '/api/v1/%61dmin/users#',
  '/console/../api/v1/admin/users',
  '/console/..%2f..%2fpackage.json',
  '/console/%2e%2e/%2e%2e/package.json',
  '/console/....//....//package.json',
  '/console//etc/passwd',
  '/reference/..%2f..%2fpackage.json',
  '/reference/%2e%2e%2f%2e%2e%2fpackage.json',
  '/tlog/../../package.json',
  '/tlog/tile/0/..%2f..%2f..%2fsecret',
  '/tlog/tile/0/x000/../../../../secret',
  '/.well-known/../package.json',
  '/.env',
  '/.git/config',
  '/@dispatch',
  '/%40dispatch',
];

t.test('V1.1.1: path tricks: none leads to a route or a file that its spelling hides', async (t) => {
  t.ok(vectors.length >= 40, 'forty vectors');
  for (const path of vectors) {
    const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const { status, headers, body } = await sendRaw(edge.gateway.port, request);
    // 403 would be the honest answer of the route itself, which only its own spelling may reach.
    t.ok(status === 400 || status === 404, `${path}: ${status}`);
    t.match(headers.get('content-type'), /^application\/problem\+json/, path);
    t.notMatch(body, /"dependencies"|root:|\[core\]/, path);
  }
  const reached = [...edge.reached.keys()].filter((name) => !name.endsWith('/GetPayment'));
  t.same(reached, [], 'no service was asked');
});

t.test('V1.1.1: the route itself is there, and refuses a customer', async (t) => {
  const { status, text } = await edge.send('/api/v1/admin/users');
  t.equal(status, 403);
  t.match(JSON.parse(text), { code: 'FORBIDDEN' });
});
