import { ConfigError, Secret } from '@strongroom/platform/config';
import { combineKeys, createSharedKeys, createStaticKeys, readSharedSecrets } from '@strongroom/platform/identity';
import t from 'tap';

const strong = 'v7Qm2LxK9rTzB4nWcY8dHfJ3sPgA6uEe';
const other = 'N5tRbX1oCkVw0ZqMjS8yGhUi7LpDaF2E';
const listOf = (entries: unknown) => new Secret(typeof entries === 'string' ? entries : JSON.stringify(entries));

t.test('S3.1a: JWT_SECRET and JWT_SECRETS are keys of HS256 under their ids', async (t) => {
  const keys = createSharedKeys({
    JWT_SECRET: new Secret(strong),
    JWT_SECRETS: listOf([
      { kid: 'next', secret: other },
      { kid: 'gone', secret: other.toLowerCase(), canVerify: false },
    ]),
  });
  t.same(await keys.find('default'), { kid: 'default', algorithm: 'HS256', material: Buffer.from(strong) });
  t.same(await keys.find('next'), { kid: 'next', algorithm: 'HS256', material: Buffer.from(other) });
  t.equal(await keys.find('gone'), undefined, 'canVerify: false');
  t.equal(await keys.find('constructor'), undefined);
  t.same(readSharedSecrets({}), []);
  const both = combineKeys(keys, createStaticKeys([{ kid: 'ed', algorithm: 'EdDSA', material: 'pem' }]));
  t.match(await both.find('ed'), { algorithm: 'EdDSA' });
  t.match(await both.find('next'), { algorithm: 'HS256' });
});

t.test('S3.2: what is wrong with JWT_SECRETS is said, and nothing that it holds', (t) => {
  const wrong: Record<string, unknown> = {
    'no JSON': `[{"kid":"a","secret":"${strong}"`,
    'no list': { kid: 'a', secret: strong },
    'a list of texts': [strong],
    'null in it': [null],
    'no kid': [{ secret: strong }],
    'a kid with a slash': [{ kid: '../a', secret: strong }],
    'no secret': [{ kid: 'a' }],
    'a secret that is a number': [{ kid: 'a', secret: 12345 }],
    'a short secret': [{ kid: 'a', secret: strong.slice(1) }],
    'a kid twice': [
      { kid: 'a', secret: strong },
      { kid: 'a', secret: other },
    ],
    'two that are active': [
      { kid: 'a', secret: strong, isActive: true },
      { kid: 'b', secret: other, isActive: true },
    ],
  };
  for (const [name, value] of Object.entries(wrong)) {
    try {
      readSharedSecrets({ JWT_SECRETS: listOf(value) });
      t.fail(name);
    } catch (error) {
      t.ok(error instanceof ConfigError, name);
      const said = String(error) + JSON.stringify(error) + String((error as Error).cause);
      t.match(said, 'JWT_SECRETS', name);
      t.notMatch(said, strong.slice(0, 8), `${name}: not the secret`);
    }
  }
  t.throws(() => readSharedSecrets({ JWT_SECRET: new Secret('short') }), ConfigError);
  t.end();
});
