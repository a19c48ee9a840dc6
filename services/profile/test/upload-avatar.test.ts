import { randomUUID } from 'node:crypto';
import { ConnectError } from '@connectrpc/connect';
import { readServiceError } from '@strongroom/platform/errors';
import sharp from 'sharp';
import t from 'tap';
import { startProfile } from './profile-fixture.ts';

const photo = sharp({ create: { width: 900, height: 600, channels: 3, background: '#336699' } });

t.test('older fault 49: a picture is taken by its content and written anew without metadata', async (t) => {
  const { client, as } = await startProfile(t);
  const userId = randomUUID();
  const content = await photo
    .clone()
    .jpeg()
    .withExif({ IFD0: { Copyright: 'canary-of-exif' } })
    .toBuffer();
  t.ok(content.includes('canary-of-exif'), 'the file sent has metadata');
  const { profile } = await client.uploadAvatar({ content }, as(userId));
  t.match(profile?.avatarUrl, userId);
  const stored = await client.getAvatar({ userId }, as(randomUUID()));
  t.equal(stored.contentType, 'image/webp');
  const metadata = await sharp(stored.content).metadata();
  t.match(metadata, { format: 'webp', width: 512 });
  t.notOk(Buffer.from(stored.content).includes('canary-of-exif'), 'ASVS 14.2.8');
});

t.test('older fault 49: what is no picture is refused, whatever it says it is', async (t) => {
  const { client, superuser, as } = await startProfile(t);
  const files: Record<string, Buffer> = {
    html: Buffer.from('<html><script>alert(1)</script></html>'),
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'),
    'png head, nothing behind': Buffer.from('89504e470d0a1a0a', 'hex'),
    'cut jpeg': (await photo.clone().jpeg().toBuffer()).subarray(0, 200),
    text: Buffer.from('hello'),
    pdf: Buffer.from('%PDF-1.7\n'),
  };
  for (const [name, content] of Object.entries(files)) {
    const reason = await client.uploadAvatar({ content }, as(randomUUID())).then(
      () => 'taken',
      (error: unknown) => readServiceError(ConnectError.from(error))?.reason,
    );
    t.equal(reason, 'AVATAR_TYPE_NOT_ALLOWED', name);
  }
  t.equal((await superuser`select 1 from avatars`).length, 0);
});

t.test('S5.3: while its flag is off, a method is refused and the others go on', async (t) => {
  let isOn = false;
  const flags = { isEnabled: (name: string) => name !== 'avatar-upload' || isOn };
  const { client, as } = await startProfile(t, { flags });
  const userId = randomUUID();
  const upload = () =>
    photo
      .clone()
      .png()
      .toBuffer()
      .then((content) => client.uploadAvatar({ content }, as(userId)));
  const refused = await upload().catch((error: unknown) => readServiceError(ConnectError.from(error))?.reason);
  t.equal(refused, 'SWITCHED_OFF');
  t.ok(await client.getProfile({}, as(userId)));
  isOn = true;
  t.match((await upload()).profile?.avatarUrl, userId);
});
