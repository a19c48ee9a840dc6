import { createJsonClient } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, handler, paymentId, startGateway, startMesh } from './fixture.ts';

const mesh = await startMesh({
  admin: { listUsers: handler(() => ({})) },
  payments: { getPayment: handler((asked) => ({ payment: { id: asked.id } })) },
});
t.teardown(async () => {
  await mesh.close();
  await closeTestRedis();
});

t.test('ASVS V8.4.2: what only administrators may do is answered in their networks alone', async (t) => {
  const gateway = await startGateway(mesh, {
    variables: { ADMIN_NETWORKS: '10.9.0.0/16, 2001:db8:9::/48, 192.0.2.7', TRUSTED_PROXIES: '127.0.0.1/32' },
  });
  t.teardown(() => gateway.close());
  const authorization = `Bearer ${mesh.tokens.token({ role: 'ADMIN' })}`;
  const client = createJsonClient(gateway.url);
  const statusFrom = async (address: string, path: string) =>
    (await client.get(path, { headers: { authorization, 'x-forwarded-for': address } })).status;
  for (const address of ['10.9.255.1', '192.0.2.7', '2001:db8:9::1', '::ffff:10.9.0.1'])
    t.equal(await statusFrom(address, '/api/v1/admin/users'), 200, address);
  for (const address of ['10.10.0.1', '192.0.2.8', '2001:db8:a::1', '::ffff:10.10.0.1'])
    t.equal(await statusFrom(address, '/api/v1/admin/users'), 403, address);
  t.equal(await statusFrom('10.10.0.1', `/api/v1/payments/${paymentId}`), 200, 'what others may do too is not bound');
  const rpc = await client.post(
    '/strongroom.admin.v1.AdminService/ListUsers',
    {},
    { headers: { authorization, 'x-forwarded-for': '10.10.0.1' } },
  );
  t.equal(rpc.status, 403, 'the same by RPC');
});

t.test('ASVS V8.4.2: a network that is none stops the start', async (t) => {
  for (const network of ['10.9.0.0/33', 'office', '10.9.0.0/', '2001:db8::/129'])
    await t.rejects(startGateway(mesh, { variables: { ADMIN_NETWORKS: network } }), /ADMIN_NETWORKS/, network);
});
