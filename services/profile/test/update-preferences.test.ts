import { randomUUID } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { readServiceError } from '@strongroom/platform/errors';
import t from 'tap';
import { startProfile } from './profile-fixture.ts';

t.test('older fault 50: changes merge deeply, and none is lost when two come at once', async (t) => {
  const { client, as } = await startProfile(t);
  const userId = randomUUID();
  await client.updatePreferences({ preferences: { notifications: { email: true, push: true } } }, as(userId));
  const changes = [
    { theme: 'dark' },
    { language: 'de-AT' },
    { currency: 'jpy' },
    { timeZone: 'America/Port-au-Prince' },
    { notifications: { sms: true } },
  ];
  await Promise.all(changes.map((preferences) => client.updatePreferences({ preferences }, as(userId))));
  const { preferences } = await client.getPreferences({}, as(userId));
  t.match(preferences, { theme: 'dark', language: 'de-AT', currency: 'JPY', timeZone: 'America/Port-au-Prince' });
  t.match(preferences?.notifications, { email: true, push: true, sms: true });
});

t.test('S2.4: preferences that name nothing real are refused, each by its field', async (t) => {
  const { client, as } = await startProfile(t);
  for (const [field, preferences] of Object.entries({
    theme: { theme: 'pink' },
    language: { language: 'not a language' },
    currency: { currency: 'ABC' },
    time_zone: { timeZone: 'Mars/Olympus' },
  })) {
    const error = await client.updatePreferences({ preferences }, as(randomUUID())).then(
      () => undefined,
      (reason: unknown) => readServiceError(ConnectError.from(reason)),
    );
    t.equal(error?.reason, 'VALIDATION_FAILED', field);
    t.match(error?.violations[0]?.field, field);
  }
});
