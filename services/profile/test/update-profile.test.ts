import { randomUUID } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { readServiceError } from '@strongroom/platform/errors';
import t from 'tap';
import { startProfile } from './profile-fixture.ts';

const told = {
  phone: '+14155552671',
  address: '1 Strongroom Way, O’Hare & Söhne <3',
  bio: 'Pays <b>bills</b>',
  taxId: '123-45-6789',
  dateOfBirth: '1990-02-28',
};
const paths = ['phone', 'address', 'bio', 'tax_id', 'date_of_birth'];

t.test('S4.3: what a person tells is sealed in its row, and comes back to that person alone', async (t) => {
  const { client, superuser, as } = await startProfile(t);
  const userId = randomUUID();
  await client.updateProfile({ profile: told, updateMask: { paths } }, as(userId));
  const { profile } = await client.getProfile({}, as(userId));
  t.equal(profile?.phone, told.phone);
  t.equal(profile?.taxId, '*******6789', 'masked unless revealed');
  t.equal(profile?.bio, 'Pays bills', 'S2.2: markup is taken out');
  t.equal((await client.getProfile({ reveal: true }, as(userId))).profile?.taxId, told.taxId);
  const [row] = await superuser`select *, profiles::text as whole from profiles`;
  for (const value of [told.phone, told.taxId, told.dateOfBirth, 'Strongroom Way']) {
    t.notOk(String(row?.['whole']).includes(value), `${value} doesn't stand in the row`);
    t.notOk(String(row?.['whole']).includes(Buffer.from(value).toString('hex')), `${value} doesn't stand there as hex`);
  }
  t.equal((await client.getProfile({}, as(randomUUID()))).profile?.phone, '', 'another person sees its own');
});

t.test('S4.3: a ciphertext copied to another row or column fails to open, and nothing is told', async (t) => {
  const { client, superuser, as } = await startProfile(t);
  const [owner, thief] = [randomUUID(), randomUUID()];
  await client.updateProfile({ profile: told, updateMask: { paths } }, as(owner));
  await client.updateProfile({ profile: { bio: 'x' }, updateMask: { paths: ['bio'] } }, as(thief));
  await superuser`update profiles set phone = (select phone from profiles where user_id = ${owner}) where user_id = ${thief}`;
  const error = await rejection(client.getProfile({}, as(thief)));
  t.equal(readServiceError(error)?.reason, 'INTERNAL', 'F31: generic, without the value');
  t.notMatch(JSON.stringify(error), told.phone);
  await superuser`update profiles set phone = tax_id where user_id = ${owner}`;
  t.equal(readServiceError(await rejection(client.getProfile({}, as(owner))))?.reason, 'INTERNAL');
});

t.test('S7.3: each change is an event without its values, in the transaction of the change', async (t) => {
  const { client, superuser, as } = await startProfile(t);
  const userId = randomUUID();
  await client.updateProfile({ profile: told, updateMask: { paths } }, as(userId));
  const rows = await superuser`select name, encode(payload, 'escape') as text, record::text from strongroom.outbox`;
  t.ok(rows.some(({ name }) => name === 'PROFILE_UPDATED'));
  t.ok(
    rows.some(({ name }) => name === 'DB_WRITE'),
    'S4.4: the write audit saw it too',
  );
  for (const row of rows) t.notMatch(JSON.stringify(row), told.phone);
});

t.test('ASVS 8.2.3: fields that are not the person’s to set are refused and nothing changes', async (t) => {
  const { client, superuser, as } = await startProfile(t);
  const userId = randomUUID();
  for (const path of ['user_id', 'create_time', 'etag', 'stale', '*']) {
    const change = client.updateProfile(
      { profile: { userId: randomUUID() }, updateMask: { paths: [path] } },
      as(userId),
    );
    t.equal(readServiceError(await rejection(change))?.reason, 'VALIDATION_FAILED', path);
  }
  t.equal((await superuser`select 1 from profiles`).length, 0);
});

t.test('older fault 24: of two changes by one etag, one is refused', async (t) => {
  const { client, as } = await startProfile(t);
  const userId = randomUUID();
  const { profile } = await client.updateProfile({ profile: { bio: 'a' }, updateMask: { paths: ['bio'] } }, as(userId));
  const changes = ['b', 'c'].map((bio) =>
    client.updateProfile({ profile: { bio }, updateMask: { paths: ['bio'] }, etag: profile?.etag }, as(userId)),
  );
  const outcomes = await Promise.allSettled(changes);
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  t.equal(refused.length, 1);
  t.equal(readServiceError(refused[0]?.reason)?.reason, 'ETAG_MISMATCH');
});

t.test('older fault 24: the etag of a profile that nobody has saved is good for the first change, once', async (t) => {
  const { client, as } = await startProfile(t);
  const userId = randomUUID();
  const { profile } = await client.getProfile({}, as(userId));
  const changes = ['a', 'b'].map((bio) =>
    client.updateProfile({ profile: { bio }, updateMask: { paths: ['bio'] }, etag: profile?.etag }, as(userId)),
  );
  const outcomes = await Promise.allSettled(changes);
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  t.equal(refused.length, 1);
  t.equal(readServiceError(refused[0]?.reason)?.reason, 'ETAG_MISMATCH');
  const saved = await client.getProfile({}, as(userId));
  t.not(saved.profile?.etag, profile?.etag);
});

t.test('ASVS 7.5.3: the whole tax id needs a recent authentication', async (t) => {
  const { client, as } = await startProfile(t);
  const userId = randomUUID();
  const staleToken = as(userId, { authenticationAgeS: 940 });
  const stale = client.getProfile({ reveal: true }, staleToken);
  t.equal(readServiceError(await rejection(stale))?.reason, 'STEP_UP_REQUIRED');
  await client.getProfile({}, staleToken);
});

async function rejection(promise: Promise<unknown>): Promise<ConnectError> {
  return await promise.then(
    () => {
      throw new Error('should have been refused');
    },
    (error: unknown) => ConnectError.from(error),
  );
}
