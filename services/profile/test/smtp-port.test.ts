// The SMTP port against a mail server in this process.
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import t, { type Test } from 'tap';
import { createSmtpPort, type SmtpOptions } from '../src/notice/smtp-port.ts';

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: unknown;
  readonly content: string;
}

const message = {
  id: '0193b1f0-0000-7000-8000-000000000001',
  to: 'ada@example.com',
  subject: 'Sign-in from a new device',
  text: 'Hello Ada,\n\n„ü“ and a line.\n',
};

/** A server, by default without TLS, and a port to it. */
async function startMail(t: Test, server: SMTPServerOptions = {}, options: Partial<SmtpOptions> = {}) {
  const received: Received[] = [];
  const mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, callback) {
      void text(stream).then((content) => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        received.push({ from, to: rcptTo.map(({ address }) => address), user: session.user, content });
        callback();
      });
    },
    ...server,
  });
  // A client that breaks off is what some of these tests are about.
  mail.on('error', () => undefined);
  await new Promise<void>((resolve) => void mail.listen(0, '127.0.0.1', resolve));
  const { port } = mail.server.address() as AddressInfo;
  const from = 'Strongroom <no-reply@strongroom.local>';
  const smtp = createSmtpPort({ host: '127.0.0.1', port, from, requireTls: false, ...options });
  t.teardown(async () => {
    await smtp.close();
    await new Promise<void>((resolve) => mail.close(() => resolve()));
  });
  return { smtp, received };
}

t.test('B-notify: a message leaves by SMTP whole, under an id by which it is known again', async (t) => {
  const { smtp, received } = await startMail(t);
  await smtp.send(message);
  t.match(received, [{ from: 'no-reply@strongroom.local', to: ['ada@example.com'] }]);
  const content = received[0]?.content ?? '';
  t.match(content, /^Subject: Sign-in from a new device\r$/m);
  t.match(content, `Message-ID: <${message.id}@strongroom>`);
  t.match(content, /^From: Strongroom <no-reply@strongroom\.local>\r$/m);
  const body = content.slice(content.indexOf('\r\n\r\n')).replace(/=\r\n/g, '');
  t.match(body, /Hello Ada,/);
  t.match(decodeURIComponent(body.replaceAll('=', '%')), '„ü“ and a line.');
});

t.test('B-notify: it signs in at the server where it is told to', async (t) => {
  const { smtp, received } = await startMail(
    t,
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, callback) {
        if (username === 'strongroom' && password === 'mail-password') callback(null, { user: username });
        else callback(new Error('wrong credentials'));
      },
    },
    { user: 'strongroom', password: 'mail-password' },
  );
  await smtp.send(message);
  t.equal(received[0]?.user, 'strongroom');
});

t.test('ASVS V12.2.1: without TLS nothing is sent where TLS is asked for', async (t) => {
  const { smtp, received } = await startMail(t, {}, { requireTls: true, user: 'u', password: 'p' });
  await t.rejects(smtp.send(message), /STARTTLS/i);
  t.same(received, []);
});

t.test('ASVS V12.3.2: a server whose certificate nobody vouches for gets nothing', async (t) => {
  const { smtp, received } = await startMail(t, { disabledCommands: [] }, { requireTls: true });
  await t.rejects(smtp.send(message), /certificate|altnames/i);
  t.same(received, []);
});

t.test('B-notify: a message that the server does not take over is an error, so that it is sent again', async (t) => {
  let isFull = true;
  const { smtp, received } = await startMail(t, {
    onRcptTo(_address, _session, callback) {
      callback(isFull ? Object.assign(new Error('mailbox full'), { responseCode: 452 }) : null);
    },
  });
  await t.rejects(smtp.send(message), /mailbox full/);
  isFull = false;
  await smtp.send(message);
  t.equal(received.length, 1);
});

t.test('ASVS V1.3.11: no value makes another header or another recipient', async (t) => {
  const { smtp, received } = await startMail(t);
  const injected = '\r\nBcc: eve@example.com\r\nX-Forged: yes';
  await smtp.send({ ...message, subject: `Hello${injected}`, id: `id${injected}` });
  await smtp.send({ ...message, to: `ada@example.com${injected}` }).catch(() => undefined);
  t.notOk(received.some(({ to }) => to.includes('eve@example.com')));
  for (const { content } of received) {
    t.notMatch(content.slice(0, content.indexOf('\r\n\r\n')), /^(Bcc|X-Forged):/im);
  }
});

t.test('B-notify: a server that is away is an error', async (t) => {
  const smtp = createSmtpPort({ host: '127.0.0.1', port: 1, from: 'a@example.com', requireTls: false });
  await t.rejects(smtp.send(message), /ECONNREFUSED/);
  await smtp.close();
});
