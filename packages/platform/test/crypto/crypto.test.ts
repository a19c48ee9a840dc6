import { createHash, createHmac, randomBytes, webcrypto } from 'node:crypto';
import { Secret } from '@strongroom/platform/config';
import {
  blindIndex,
  createFieldCipher,
  createKeyring,
  encryptedJson,
  encryptedText,
  equalConstantTime,
  hmacSha256,
  keyringFromConfig,
  type MasterKey,
  openRow,
  sealColumn,
  sealRow,
  sha256,
  uuidv7,
} from '@strongroom/platform/crypto';
import { eq } from 'drizzle-orm';
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import t from 'tap';
import { readSealed, sealBytes } from '../../src/crypto/sealed-bytes.ts';
import { createDatabaseFixture } from '../database/fixture.ts';

const keyOf = (id: string): MasterKey => ({ id, key: randomBytes(32) });
const [first, second] = [keyOf('k1'), keyOf('k2')];
const place = { table: 'profile', column: 'tax_id', row: uuidv7() };

t.test('S4.3: a sealed field opens at its own place and nowhere else', async (t) => {
  const cipher = createFieldCipher(createKeyring([first]));
  for (const plaintext of ['', 'x', 'ü€🙂', 'a'.repeat(70_000)]) {
    const sealed = cipher.seal(plaintext, place);
    t.equal(cipher.open(sealed, place), plaintext);
    t.equal(sealed.length, 2 + 2 + 12 + 16 + Buffer.byteLength(plaintext), 'header, key id, IV, tag, ciphertext');
  }
  const sealed = cipher.seal('4111111111111111', place);
  t.not(sealed.toString('hex'), cipher.seal('4111111111111111', place).toString('hex'));
  for (const other of [
    { ...place, row: uuidv7() },
    { ...place, column: 'phone' },
    { ...place, table: 'other' },
    { table: 'profil', column: 'etax_id', row: place.row },
  ]) {
    t.throws(() => cipher.open(sealed, other), { name: 'OpenError', reason: 'authentication' });
  }
  for (let position = 0; position < sealed.length; position += 1) {
    const changed = Buffer.from(sealed);
    changed[position] = (changed[position] ?? 0) ^ 0x40;
    t.throws(() => cipher.open(changed, place), { name: 'OpenError' });
  }
  for (const length of [0, 1, 3, 20])
    t.throws(() => cipher.open(sealed.subarray(0, length), place), { name: 'OpenError' });
  t.throws(() => cipher.seal('x', { ...place, row: '' }), RangeError);
});

t.test('ASVS V11.3.2: what is sealed is AES-256-GCM as others have it', async (t) => {
  const key = randomBytes(32);
  const aad = Buffer.from('place');
  const sealed = sealBytes(key, 'k1', Buffer.from('text'), aad);
  const { iv, tag, ciphertext } = readSealed(sealed);
  t.equal(iv.length, 12);
  t.equal(tag.length, 16);
  // WebCrypto wants the tag behind the ciphertext.
  const imported = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const additionalData = Buffer.concat([sealed.subarray(0, 4), aad]);
  const opened = await webcrypto.subtle.decrypt(
    { name: 'AES-GCM', iv, additionalData },
    imported,
    Buffer.concat([ciphertext, tag]),
  );
  t.equal(Buffer.from(opened).toString(), 'text');
});

t.test('ASVS V11.3.4: no nonce comes twice in a hundred thousand', async (t) => {
  const key = randomBytes(32);
  const nonces = new Set<string>();
  for (let count = 0; count < 100_000; count += 1) {
    nonces.add(readSealed(sealBytes(key, 'k1', Buffer.from('same'), Buffer.alloc(0))).iv.toString('latin1'));
  }
  t.equal(nonces.size, 100_000);
});

t.test('F32: after a rotation old values open, new ones are under the new key, and others know neither', async (t) => {
  const before = createFieldCipher(createKeyring([first]));
  const after = createFieldCipher(createKeyring([second, first]));
  const old = before.seal('value', place);
  t.equal(after.open(old, place), 'value');
  t.ok(after.isStale(old));
  const fresh = after.seal('value', place);
  t.notOk(after.isStale(fresh));
  t.throws(() => before.open(fresh, place), { name: 'OpenError', reason: 'key' });
  t.throws(() => createFieldCipher(createKeyring([keyOf('k1')])).open(old, place), { name: 'OpenError' });
  t.throws(() => createKeyring([first, first]), RangeError);
  t.throws(() => createKeyring([{ id: 'short', key: Buffer.alloc(16) }]), RangeError);
  const keyring = keyringFromConfig({
    ENCRYPTION_MASTER_KEY: new Secret(Buffer.from(second.key).toString('hex')),
    ENCRYPTION_KEY_ID: 'k2',
    ENCRYPTION_PREVIOUS_KEYS: new Secret(
      `k1:${Buffer.from(first.key).toString('base64')}, k0:${randomBytes(32).toString('hex')}`,
    ),
  });
  t.same(keyring.keyIds, ['k2', 'k1', 'k0']);
  t.equal(createFieldCipher(keyring).open(old, place), 'value');
  for (const bad of ['nonsense', 'k1:00', ':00']) {
    t.throws(
      () =>
        keyringFromConfig({
          ENCRYPTION_MASTER_KEY: new Secret(Buffer.from(second.key).toString('hex')),
          ENCRYPTION_KEY_ID: 'k2',
          ENCRYPTION_PREVIOUS_KEYS: new Secret(bad),
        }),
      RangeError,
    );
  }
});

t.test('S4.3: each purpose has a key of its own', async (t) => {
  const keyring = createKeyring([first]);
  const keys = ['field', 'notice', 'config', 'blind-index'].map((purpose) => keyring.subkey(purpose).toString('hex'));
  t.equal(new Set(keys).size, keys.length);
  t.notOk(keys.includes(Buffer.from(first.key).toString('hex')));
  t.throws(() => keyring.open('notice', keyring.seal('field', 'x', 'a'), 'a'), { name: 'OpenError' });
  const cipher = createFieldCipher(keyring);
  const index = cipher.index('a@example.com', place);
  t.same(index, cipher.index('a@example.com', { ...place }), 'equal values are found');
  t.notSame(index, cipher.index('a@example.com', { ...place, column: 'phone' }), 'but not across columns');
  t.notSame(index, createFieldCipher(createKeyring([second])).index('a@example.com', place));
});

t.test(
  'S4.3: an encrypted column takes plaintext through sealRow alone, and gives it back to its own row',
  async (t) => {
    const fixture = await createDatabaseFixture();
    t.teardown(() => fixture.close());
    const person = pgTable('person', {
      id: uuid('id').primaryKey(),
      name: text('name').notNull(),
      taxId: encryptedText('tax_id').notNull(),
      address: encryptedJson<{ city: string }>('address'),
    });
    await fixture.superuser`create table person (id uuid primary key, name text not null, tax_id bytea not null, address bytea)`;
    await fixture.superuser`grant all on person to platform_app`;
    const cipher = createFieldCipher(createKeyring([first]));
    const { orm } = fixture.database;
    const [one, two] = [uuidv7(), uuidv7()];
    await orm
      .insert(person)
      .values(
        sealRow(cipher, person, one, { id: one, name: 'A', taxId: 'canary-1', address: { city: 'canary-city' } }),
      );
    await orm
      .insert(person)
      .values(sealRow(cipher, person, two, { id: two, name: 'B', taxId: 'canary-2', address: null }));
    const rows = await orm.select().from(person).orderBy(person.name);
    t.same(
      rows.map((row) => openRow(cipher, person, row.id, row)),
      [
        { id: one, name: 'A', taxId: 'canary-1', address: { city: 'canary-city' } },
        { id: two, name: 'B', taxId: 'canary-2', address: null },
      ],
    );
    t.notMatch(JSON.stringify(rows), /canary/, 'a row that is logged shows nothing');
    const raw = await fixture.superuser`select encode(tax_id, 'escape') as text from person`;
    t.notMatch(JSON.stringify(raw), /canary/);
    await fixture.superuser`update person set tax_id = (select tax_id from person where id = ${one}) where id = ${two}`;
    const [copied] = await orm.select().from(person).where(eq(person.id, two));
    t.throws(
      () => copied && openRow(cipher, person, two, copied),
      { name: 'OpenError' },
      'a copied ciphertext is dead',
    );
    await orm
      .update(person)
      .set({ taxId: sealColumn(cipher, person, 'taxId', two, 'canary-3') })
      .where(eq(person.id, two));
    const [mended] = await orm.select().from(person).where(eq(person.id, two));
    t.equal(mended && openRow(cipher, person, two, mended).taxId, 'canary-3');
    await t.rejects(
      async () => orm.insert(person).values({ id: uuidv7(), name: 'C', taxId: 'plain' as never }),
      /sealRow/,
    );
    t.throws(() => sealColumn(cipher, person, 'name', two, 'x'), TypeError);
  },
);

t.test('S2.4: UUIDs of version 7 rise strictly, also when the clock is set back', (t) => {
  const format = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const ids = Array.from({ length: 20_000 }, () => uuidv7());
  const now = Date.now();
  ids.push(uuidv7(now + 1_000), uuidv7(now - 3_600_000), uuidv7(now));
  t.equal(new Set(ids).size, ids.length);
  t.same([...ids].sort(), ids);
  t.ok(ids.every((id) => format.test(id)));
  t.end();
});

t.test('S1.2a: digests and comparison', (t) => {
  t.equal(sha256('abc').toString('hex'), createHash('sha256').update('abc').digest('hex'));
  t.equal(hmacSha256('k', 'v').toString('hex'), createHmac('sha256', 'k').update('v').digest('hex'));
  t.same(blindIndex(Buffer.from('k'), 'v'), hmacSha256('k', 'v'));
  t.ok(equalConstantTime('same', Buffer.from('same')));
  for (const other of ['', 'sam', 'same ', 'samf']) t.notOk(equalConstantTime('same', other));
  t.end();
});
