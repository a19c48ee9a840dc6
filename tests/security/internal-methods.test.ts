// B-zero: what only processes may call has no way in at the edge, however the call is spelled.
import type { DescMethod } from '@bufbuild/protobuf';
import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import t from 'tap';
import { sendRaw } from '../../gateway/test/raw-http.ts';
import { nameOf, startContractEdge } from './contract-edge.ts';

t.setTimeout(120_000);

const edge = await startContractEdge(t);
const internal = edge.methods.filter((method) => methodPolicy(method).access?.audience === Audience.INTERNAL);
const token = edge.mesh.tokens.token({ role: 'ADMIN' });

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const types = [
  'application/json',
  'application/proto',
  'application/connect+json',
  'application/connect+proto',
  'application/grpc',
  'application/grpc+proto',
  'application/grpc-web',
  'application/grpc-web+json',
  'application/grpc-web-text',
];

function spellings(method: DescMethod): string[] {
  const name = nameOf(method);
  const [service = '', rpc = ''] = name.split('/');
  return [
    `/${name}`,
    `//${name}`,
    `/${name}/`,
    `/./${name}`,
    `/x/../${name}`,
    `/${service}//${rpc}`,
    `/${service}%2F${rpc}`,
    `/${service}%2f${rpc}`,
    `/${service}/${rpc}%00`,
    `/${service}/${rpc};a=b`,
    `/${service}/${rpc}?connect=v1&encoding=json&message=%7B%7D`,
    `/${name.toLowerCase()}`,
    `/${name.toUpperCase()}`,
    `/${service}/%${rpc.charCodeAt(0).toString(16)}${rpc.slice(1)}`,
    `/api/v1/${name}`,
    `/api/${name}`,
    `/api/v1/payments/../../../${name}`,
    `/api/v1/payments/%2e%2e/%2e%2e/%2e%2e/${name}`,
    `/livez/../${name}`,
    `/console/../${name}`,
    `/@dispatch/${name}`,
    `http://127.0.0.1:1/${name}`,
    `https://auth/${name}`,
    `/\\${name}`,
    `/.well-known/../${name}`,
  ];
}

t.test('B-zero: no path, verb or protocol at the edge reaches an internal method', async (t) => {
  t.ok(internal.length >= 7, `${internal.length} internal methods`);
  let count = 0;
  const answered: string[] = [];
  const send = async (verb: string, path: string, type: string) => {
    const head = `${verb} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n`;
    const body = type.endsWith('json') ? '{}' : '\0\0\0\0\0';
    const hasBody = verb === 'POST' || verb === 'PUT' || verb === 'PATCH';
    const rest = hasBody ? `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}` : '\r\n';
    const { status, headers } = await sendRaw(edge.gateway.port, Buffer.from(head + rest, 'latin1'));
    count += 1;
    const isRefused = status >= 400 || headers.get('grpc-status') === '12' || (status === 204 && verb === 'OPTIONS');
    if (!isRefused) answered.push(`${verb} ${path} ${type}: ${status}`);
  };
  for (const method of internal) {
    const paths = spellings(method);
    await Promise.all(paths.map((path) => send('POST', path, 'application/json')));
    await Promise.all(verbs.map((verb) => send(verb, `/${nameOf(method)}`, 'application/proto')));
    await Promise.all(types.map((type) => send('POST', `/${nameOf(method)}`, type)));
  }
  t.same(answered, [], `${count} requests`);
  t.same(internal.filter((method) => edge.reached.has(nameOf(method))).map(nameOf), [], 'and no service was asked');
});

t.test('B-reflect: the edge has no reflection; who asks it reads the OpenAPI document', async (t) => {
  for (const version of ['v1', 'v1alpha']) {
    for (const type of ['application/grpc-web+proto', 'application/connect+proto', 'application/json']) {
      const response = await fetch(
        `${edge.gateway.url}/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(5) },
      );
      t.ok(response.status === 404 || response.headers.get('grpc-status') === '12', `${version} ${type}`);
    }
  }
});

t.test('B-zero: an internal method and one that is not there look the same', async (t) => {
  const answers = [];
  for (const name of [nameOf(internal[0] as DescMethod), 'strongroom.auth.v1.AuthService/Nothing']) {
    const response = await fetch(`${edge.gateway.url}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: '{}',
    });
    answers.push({ status: response.status, text: await response.text() });
  }
  t.same(answers[0], answers[1]);
});

t.test('B-zero: facts about a client and a caller’s name are not taken from outside', async (t) => {
  const method = edge.methods.find(({ name }) => name === 'GetMe');
  const response = await fetch(`${edge.gateway.url}/${nameOf(method as DescMethod)}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-strongroom-client-ip': '203.0.113.9',
      'x-strongroom-request-id': 'chosen-by-me-1',
      'x-forwarded-client-cert': 'URI=spiffe://strongroom/service/auth',
      'x-strongroom-caller': 'auth',
    },
    body: '{}',
  });
  await response.text();
  t.equal(response.status, 401);
  t.not(response.headers.get('x-request-id'), 'chosen-by-me-1');
});
