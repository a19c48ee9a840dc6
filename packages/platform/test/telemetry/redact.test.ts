import { createLogger, currentRequest, redactText, redactValue, runInRequest } from '@strongroom/platform/telemetry';
import t from 'tap';

function logOf(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  write(createLogger({ name: 'test', level: 'trace', destination }));
  return text;
}

t.test('B-canary: nothing of what must not be logged gets through, wherever it stands', (t) => {
  const canaries = {
    email: 'canary.person+tag@mail.example.com',
    card: '4111 1111 1111 1111',
    cardPlain: '5500005555555559',
    cardDashes: '3782-822463-10005',
    ssn: '078-05-1120',
    phone: '+49 151 23456789',
    jwt: 'eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl',
    bearer: 'Bearer c2VjcmV0LWNhbmFyeS10b2tlbg==',
    basic: 'Basic dXNlcjpjYW5hcnk=',
    dsn: 'postgres://app:canarypassword@127.0.0.1:5432/db',
    query: 'password=canarypassword&x=1',
    cookie: 'set-cookie: sid=canarycookie',
  };
  for (const [name, canary] of Object.entries(canaries)) {
    const secret = canary.replace(/^(Bearer|Basic|password=|set-cookie: sid=)\s*/, '').replace(/&x=1$/, '');
    const places = logOf((logger) => {
      logger.info(`before ${canary} after`);
      logger.info({ note: canary }, 'field');
      logger.info({ deep: { list: [{ note: `x ${canary} y` }] } }, 'deep field');
      logger.error(new Error(`failed for ${canary}`), 'first argument');
      logger.error({ err: new Error('outer', { cause: new Error(`inner ${canary}`) }) }, 'cause');
      logger.warn('formatted %s and %j', canary, { canary });
      logger.child({ outer: 'kept' }).child({ bound: canary }).info('child');
    });
    t.equal(places.trim().split('\n').length, 7);
    t.notOk(places.includes(secret), name);
    t.match(places, /"outer":"kept"/);
  }
  t.end();
});

t.test('S6.2: fields are hidden by their names, whatever they hold', (t) => {
  const names = [
    'password',
    'newPassword',
    'current_password',
    'authorization',
    'Cookie',
    'set-cookie',
    'accessToken',
    'refresh_token',
    'token',
    'apiKey',
    'clientSecret',
    'secrets',
    'cvc',
    'cardNumber',
    'email',
    'recipientEmail',
    'phone',
    'ssn',
    'taxId',
    'totp',
    'otp',
    'backupCodes',
    'privateKey',
    'dateOfBirth',
    'userAgent',
    'ipAddress',
  ];
  for (const name of names) {
    const text = logOf((logger) => logger.info({ [name]: 'canary', inner: { [name]: ['canary'] } }, 'x'));
    t.notMatch(text, /canary/, name);
  }
  const kept = {
    paymentId: 'p1',
    code: '23505',
    passwordChangeRequired: true,
    rows: 3,
    status: 'ok',
    tokenId: 't1',
    big: 5n,
  };
  t.match(JSON.parse(logOf((logger) => logger.info(kept, 'x'))), { ...kept, big: '5' });
  t.end();
});

t.test('S6.2: what only looks alike stays readable', (t) => {
  for (const text of [
    '01a20f79-6506-73fa-8677-c6ae6ab9620e',
    'payment of 1234567890123 units', // fails the Luhn check
    '2026-11-24T20:05:00.123456Z',
    'took 12.5 ms at 127.0.0.1:5432',
    'strongroom.payments.v1.PaymentsService/CreatePayment',
    'trace 0af7651916cd43dd8448eb211c80319c',
    'https://example.com/path?page=2',
  ]) {
    t.equal(redactText(text), text);
  }
  t.end();
});

t.test('S6.2: a database error is logged without the values of its row', (t) => {
  const error = Object.assign(new Error('duplicate key value violates unique constraint "user_email_key"'), {
    name: 'PostgresError',
    code: '23505',
    detail: 'Key (name)=(canary) already exists.',
    where: 'COPY canary',
    constraint_name: 'user_email_key',
    parameters: ['canary'],
  });
  const drizzle = new Error('Failed query: insert into "user" values ($1)\nparams: canary', { cause: error });
  const text = logOf((logger) => {
    logger.error({ err: drizzle }, 'a');
    logger.error({ err: error }, 'b');
  });
  t.notMatch(text, /canary/);
  t.match(text, /user_email_key/);
  t.end();
});

t.test('S6.2: text from outside can not forge a line, blow up the log or stop it', (t) => {
  const forged = logOf((logger) => logger.info('x\n{"level":"fatal","msg":"forged"}\r\n\u2028y'));
  t.equal(forged.trim().split('\n').length, 1);
  t.match(JSON.parse(forged), { level: 'info', msg: /forged/ });
  const loop: Record<string, unknown> = { name: 'loop' };
  loop['self'] = loop;
  const huge = logOf((logger) => {
    logger.info(loop, 'loop');
    logger.info({ text: 'a'.repeat(1_000_000), list: Array.from({ length: 100_000 }, () => 1) }, 'huge');
    logger.info(
      {
        get broken() {
          return undefined;
        },
        bytes: Buffer.from('canary'),
        map: new Map([['canary', 1]]),
      },
      'odd',
    );
  });
  t.equal(huge.trim().split('\n').length, 3);
  t.ok(huge.length < 30_000);
  t.notMatch(huge, /canary/);
  t.same(redactValue([undefined, null, 1, true]), [undefined, null, 1, true]);
  t.end();
});

t.test('SM: lines carry the ids of their request, and those alone', async (t) => {
  const lines = logOf((logger) => {
    runInRequest({ requestId: 'r1', traceId: 'a'.repeat(32) }, () => logger.info('inside'));
    logger.info('outside');
  })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(lines[0], { msg: 'inside', requestId: 'r1', trace_id: 'a'.repeat(32), time: /^\d{4}-.*Z$/, name: 'test' });
  t.notOk('requestId' in lines[1]);
  await Promise.all(
    ['r1', 'r2', 'r3'].map((requestId) =>
      runInRequest({ requestId }, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        t.equal(currentRequest()?.requestId, requestId);
      }),
    ),
  );
});
