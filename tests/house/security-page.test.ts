// docs/SECURITY.md says what the code does: its numbers are the defaults, and its lists are whole.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from '@strongroom/platform/config';
import t from 'tap';
import { gatewayVariables } from '../../gateway/src/config.ts';
import { adminVariables } from '../../services/admin/src/config.ts';
import { authVariables } from '../../services/auth/src/config.ts';
import { paymentsVariables } from '../../services/payments/src/config.ts';
import { profileVariables } from '../../services/profile/src/config.ts';
import { isTest, root, sourceFiles } from './source-files.ts';

const page = readFileSync(join(root, 'docs', 'SECURITY.md'), 'utf8');
const sections = new Map(page.split(/^## /m).map((text) => [text.slice(0, text.indexOf('\n')), text]));
const variables: Readonly<Record<string, Kind<unknown>>> = {
  ...gatewayVariables,
  ...authVariables,
  ...paymentsVariables,
  ...profileVariables,
  ...adminVariables,
};
const product = sourceFiles().filter(
  ({ path }) =>
    /^(gateway|services\/\w+|packages\/(platform|rest|tlog|psp-sandbox))\/src\//.test(path) && !isTest(path),
);

/** Modules by which a file does cryptography; types alone do none. */
const cryptography =
  /^import (?!type )[^;]*from '(?:node:crypto|node:tls|bcryptjs|fast-jwt|jose|otplib|altcha-lib[^']*|@simplewebauthn\/server|@peculiar\/x509|standardwebhooks|stripe)'/m;

/** Files that do cryptography and, beside it, spread repetitions over time by chance. */
const spreadsRepetitions = new Set([
  'packages/psp-sandbox/src/webhooks.ts',
  'services/payments/src/webhook-endpoint/webhook-endpoint.ts',
]);

t.test('ASVS V7.1.1, V8.1.4, V13.1.2, V13.1.3: every number of the page is the default of its variable', (t) => {
  const numbers = [...page.matchAll(/`([A-Z][A-Z0-9_]+)=([^`]+)`/g)];
  t.ok(numbers.length > 20);
  for (const [, name = '', value] of numbers) t.equal(variables[name]?.defaultText, value, name);
  t.end();
});

t.test('ASVS V11.1.2, V11.1.3: the inventory names every file that does cryptography, and no other', (t) => {
  const listed = [...(sections.get('Cryptography') ?? '').matchAll(/^\| (\S+\.ts) \|/gm)].map(([, path]) => path);
  const found = product.filter(({ text }) => cryptography.test(text)).map(({ path }) => path);
  t.same(listed.toSorted(), found.toSorted());
  t.end();
});

t.test(
  'ASVS V11.2.1, V11.3.1, V11.4.1: nothing weak is asked of a library, and randomness for secrets is never guessable',
  (t) => {
    const weak =
      /['"`](md5|md4|sha1|sha-1|rsa-sha1|des(?:-[^'"`]*)?|rc4|bf-[^'"`]*|aes-\d+-(ecb|cbc|ctr|cfb|ofb)|RSA1_5|RSA-OAEP)['"`]|RSA_PKCS1_PADDING/i;
    for (const { path, text } of product) {
      t.notMatch(text, weak, path);
      if (cryptography.test(text) && !spreadsRepetitions.has(path)) {
        t.notMatch(text, /Math\.random/, `${path} takes its randomness from the system`);
      }
    }
    t.end();
  },
);

t.test('ASVS V11.2.4: what is secret is compared in constant time', (t) => {
  const plain =
    /(?<!typeof [\w.]*)\b(mac|hmac|digest|signature|tokenHash|codeHash|passwordHash)\b(?:\.toString\([^)]*\))? (?:===|!==) (?!undefined|null)|\.equals\(.*(mac|Mac|digest|signature)/;
  for (const { path, text } of product) {
    if (cryptography.test(text)) t.notMatch(text, plain, path);
  }
  t.end();
});

t.test('ASVS V13.1.4: every secret of the configuration has an owner and a rhythm', (t) => {
  const section = sections.get('Keys and secrets') ?? '';
  const first = [...section.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell).join('\n');
  const secrets = Object.entries(variables)
    .filter(
      ([name, { kind }]) =>
        kind === 'secret' ||
        kind === 'keyBytes' ||
        /(_KEY_FILE|DATABASE_URL|REDIS_URL|NATS_URL|KEYSTORE_DIR)$/.test(name),
    )
    .map(([name]) => name)
    .filter((name) => name !== 'WITNESS_KEY_FILE'); // a public key
  for (const name of secrets) t.match(first, new RegExp(`\\b${name}\\b`));
  t.end();
});

t.test('ASVS V15.1.4, V15.1.5: the libraries and the code to look at first exist', (t) => {
  const section = sections.get('Libraries and code to look at first') ?? '';
  const dependencies = new Set(
    [
      'gateway',
      'services/auth',
      'services/payments',
      'services/profile',
      'services/admin',
      'packages/platform',
    ].flatMap((folder) =>
      Object.keys(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).dependencies),
    ),
  );
  const [risky = '', dangerous = ''] = section.split('Dangerous, because');
  for (const [, name = ''] of risky.matchAll(/`([^`]+)`/g)) t.ok(dependencies.has(name), `${name} is a dependency`);
  for (const [, path = ''] of dangerous.matchAll(/`((?:packages|services|src|scripts)\/[^`]+)`/g)) {
    const isThere = [path, `packages/platform/${path}`, `services/auth/${path}`].some((each) =>
      existsSync(join(root, each)),
    );
    t.ok(isThere, `${path} exists`);
  }
  t.end();
});

t.test('ASVS V11.1.4, V14.1.2, V15.1.1, V16.1.1: the page tells of each subject that has no list to compare', (t) => {
  t.match(sections.get('Cryptography'), /When an algorithm falls.*quantum/s);
  for (const dataClass of ['SECRET', 'SENSITIVE', 'PERSONAL', 'PUBLIC'])
    t.match(sections.get('Data'), new RegExp(`^\\| ${dataClass} \\|`, 'm'));
  t.match(sections.get('Libraries and code to look at first'), /2 days if it is critical.* 7 if high, 30 else/s);
  t.match(sections.get('Logs'), /^\| audit log \|/m);
  t.end();
});
