// Which verbs and which kinds of body reach a route: those of the contract, and none that a page of another site can send unasked.
import t from 'tap';
import { anId, restRequestsOf, startContractEdge } from './contract-edge.ts';

t.setTimeout(120_000);
const edge = await startContractEdge(t);
const authorization = `Bearer ${edge.mesh.tokens.token({ role: 'ADMIN' })}`;
const requests = edge.methods.flatMap((method) => restRequestsOf(method).map((request) => ({ ...request, method })));
const paths = [...new Set(requests.map(({ path }) => path))];
const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'SEARCH'];
const reached = () => [...edge.reached.values()].reduce((sum, count) => sum + count, 0);

/** Verbs of every route that a path is one of: `sessions/revoke-others` is also a `sessions/{id}`. */
function takenAt(path: string): Set<string> {
  const segments = path.split('/');
  const isOneOf = (other: string) => {
    const pattern = other.split('/');
    const fits = (part: string, index: number) => part === segments[index] || part === anId;
    return pattern.length === segments.length && pattern.every(fits);
  };
  const own = requests.filter((request) => isOneOf(request.path)).map(({ verb }) => verb);
  return new Set(own.includes('GET') ? [...own, 'HEAD'] : own);
}

t.test('S6.1, ASVS V4.1.1, V4.1.4: a route takes its own verbs, and names them to any other', async (t) => {
  for (const path of paths) {
    const taken = takenAt(path);
    const allow = [...taken, 'OPTIONS'].sort().join(', ');
    const answers = await Promise.all(
      verbs
        .filter((verb) => !taken.has(verb))
        .map((verb) => fetch(`${edge.gateway.url}${path}`, { method: verb, headers: { authorization } })),
    );
    for (const answer of answers) {
      t.same([answer.status, answer.headers.get('allow')], [405, allow], path);
      t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8', path);
    }
  }
  t.ok(paths.length > 60, `${paths.length} paths`);
  t.equal(reached(), 0, 'and nothing has happened');
});

t.test('S6.1, ASVS V3.5.1, V3.5.2: no route with effects takes what a form can send', async (t) => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain;application/json',
  ];
  const withEffects = requests.filter(({ verb }) => verb !== 'GET');
  const before = reached();
  for (const { verb, path, method } of withEffects) {
    // A picture is sent as it is, and a message of the provider is read by its signature alone.
    if (verb === 'DELETE' || ['UploadAvatar', 'ReceivePspWebhook'].includes(method.name)) continue;
    const headers = { authorization, 'idempotency-key': crypto.randomUUID() };
    const answers = await Promise.all(
      types.map((type) =>
        fetch(`${edge.gateway.url}${path}`, {
          method: verb,
          headers: { ...headers, 'content-type': type },
          body: '{}',
        }),
      ),
    );
    for (const answer of answers) t.equal(answer.status, 415, `${verb} ${path}`);
  }
  t.equal(reached(), before);
});
