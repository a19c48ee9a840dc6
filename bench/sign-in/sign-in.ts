import { randomUUID } from 'node:crypto';
import { createAuthFixture, goodPassword, reasonOf, registerPerson } from '../../services/auth/test/auth-fixture.ts';
import { withEngines } from '../engines.ts';
import { measureRate, median } from '../measure.ts';

type Fixture = Awaited<ReturnType<typeof createAuthFixture>>;

/** A cheaper hash than production's hides less of a difference between known and unknown addresses. */
const environment = { BCRYPT_COST: '10', EMAIL_VERIFICATION: 'required', PASSWORD_QUEUE_MAX: '24' };
/** Where others sign in, the hash is production's. */
const busyEnvironment = { BCRYPT_COST: '12', EMAIL_VERIFICATION: 'off' };
const samples = 200;
/** A known address stands two failures before the third has to wait. */
const guessesPerAccount = 2;
const readers = 4;
const roundMs = 8_000;
const signIns = 20;

/** Whether an answer's time tells if an address is known (S1.3d), and what sign-ins cost everyone else (issue's bound: 3). */
export async function runSignIn(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const fixture = await createAuthFixture({ env: environment });
    try {
      return { ...(await compareAddresses(fixture)), ...(await readWhileOthersSignIn(fixture)) };
    } finally {
      await fixture.close();
    }
  });
}

/** Medians of known to unknown addresses, in turn: 1 tells nothing. */
async function compareAddresses(fixture: Fixture): Promise<Record<string, number>> {
  const { auth, by } = fixture;
  const known = await knownAddresses(fixture, samples / guessesPerAccount);
  const unknown = () => `${randomUUID()}@example.com`;
  const calls = {
    sign_in: (email: string) => auth.login({ email, password: 'wrong' }, by()),
    register: (email: string) => auth.register({ email, password: goodPassword, name: 'Jo Doe' }, by()),
    reset: (email: string) => auth.requestPasswordReset({ email }, by()),
  };
  const figures: Record<string, number> = {};
  for (const [name, call] of Object.entries(calls)) {
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
    for (let count = 0; count < samples; count += 1) {
      times.known.push(await timeOf(call(known[count % known.length] ?? '')));
      times.unknown.push(await timeOf(call(unknown())));
    }
    figures[`${name}_known_p50_ms`] = median(times.known);
    figures[`${name}_known_to_unknown_ratio`] = median(times.known) / median(times.unknown);
  }
  return figures;
}

async function timeOf(call: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  // Answered or refused, as the address has it: the time is what counts.
  await reasonOf(call);
  return performance.now() - startMs;
}

/** Accounts with a proven address, all with the password of the first. */
async function knownAddresses({ app, sql }: Fixture, count: number): Promise<string[]> {
  const passwordHash = await app.deps.hasher.hash(goodPassword);
  const emails = Array.from({ length: count }, () => `${randomUUID()}@example.com`);
  for (const email of emails) {
    await sql`
      insert into users (id, email, name, role, status, password_hash, email_verified)
      values (${randomUUID()}, ${email}, 'Known', 'CUSTOMER', 'ACTIVE', ${passwordHash}, true)`;
  }
  return emails;
}

/** The p99 of GetMe at a process of its own, idle and while twenty people sign in over and over. */
async function readWhileOthersSignIn(fixture: Fixture): Promise<Record<string, number>> {
  const { auth } = await fixture.spawn('', busyEnvironment);
  const person = await registerPerson({ ...fixture, auth });
  const emails = await knownAddresses(fixture, signIns);
  const mine = fixture.by({ token: person.tokens.accessToken });
  const read = () => measureRate(() => auth.getMe({}, mine), { concurrency: readers, durationMs: roundMs });
  await read();
  const idle = await read();
  let isOver = false;
  const others = emails.map(async (email) => {
    while (!isOver) await reasonOf(auth.login({ email, password: goodPassword }, fixture.by()));
  });
  const busy = await read();
  isOver = true;
  await Promise.all(others);
  return {
    get_me_idle_p99_ms: idle.p99Ms,
    get_me_while_20_sign_in_p99_ms: busy.p99Ms,
    get_me_busy_to_idle_p99_ratio: busy.p99Ms / idle.p99Ms,
  };
}
