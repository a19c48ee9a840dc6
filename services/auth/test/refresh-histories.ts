// S1.2b as a property of random histories: two tabs and a retrying client that share a store of tokens, and a thief who
// copies from it. The use case runs on real PostgreSQL; time passes by moving what the database remembers.
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { serviceAct } from '@strongroom/platform/database';
import { type Call, methodPolicy } from '@strongroom/platform/rpc';
import fc from 'fast-check';
import type { Test } from 'tap';
import { openSession } from '../src/session/open-session.ts';
import { refresh } from '../src/session/refresh.ts';
import { findUser } from '../src/user/user-store.ts';
import { type AuthFixture, reasonOf, registerPerson } from './auth-fixture.ts';

/** What the fixture must be made with: waits far from the grace's end, whatever the machine's load. */
export const historyVariables = { REFRESH_GRACE_MS: '30000', SESSION_LIMIT: '100' };
const graceMs = 30_000;
const waitsMs = [12_000, 45_000];
const afterGraceMs = 45_000;
const clients = 3;
const stepsMax = 10;

type Step =
  /** A client reads the store, and will send what it read. */
  | { readonly kind: 'read'; readonly client: number }
  /** It sends; a lost answer is sent for again. */
  | { readonly kind: 'send'; readonly client: number; readonly isLost: boolean }
  /** All that have read the same token send at once. */
  | { readonly kind: 'race' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'steal' }
  | { readonly kind: 'abuse'; readonly from: 'elsewhere' | 'the same network' };

const clientOf = fc.nat({ max: clients - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('read' as const), client: clientOf }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('send' as const), client: clientOf, isLost: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'race' as const }) },
  { weight: 2, arbitrary: fc.constantFrom(...waitsMs).map((ms) => ({ kind: 'wait' as const, ms })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'steal' as const }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('elsewhere' as const, 'the same network' as const).map((from) => ({
      kind: 'abuse' as const,
      from,
    })),
  },
);

interface Held {
  readonly token: string;
  readonly generation: number;
}

/** What the requirement says about the family, and nothing of how it is kept. */
interface Family {
  generation: number;
  ageMs: number;
  /** Who made the current generation. */
  holder: string;
  isDead: boolean;
  /** The refresh token of the current generation. (The access token says when it was made, which `wait` moves.) */
  successor: string | undefined;
}

const people = '198.51.100.7';
const elsewhere = '192.0.2.66';

/** Runs `runs` histories; tap is told of the first that breaks the rule, shrunk, with its seed. */
export async function checkRefreshHistories(t: Test, fixture: AuthFixture, runs: number): Promise<void> {
  const person = await registerPerson(fixture);
  let revoked = 0;
  const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: stepsMax }), async (steps) => {
    const history = await openHistory(fixture, person.id);
    for (const each of steps) await history.run(each);
    if (await history.end()) revoked += 1;
  });
  const result = await fc.check(property, { numRuns: runs });
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'every history keeps the rule');
  t.ok(revoked > 0 && revoked < runs, `${revoked} of ${runs} histories end with the family dead`);
}

async function openHistory(fixture: AuthFixture, userId: string) {
  const { deps } = fixture.app;
  const { sql } = fixture;
  const first = await deps.database.transaction(serviceAct('auth'), async (tx) => {
    const user = await findUser(tx, userId);
    if (user === undefined) throw new Error('the person is gone');
    return openSession(tx, deps, callFrom(people), user, { methods: ['pwd'] });
  });
  const id = first.sessionId;
  const family: Family = { generation: 0, ageMs: 0, holder: people, isDead: false, successor: undefined };
  let store: Held = { token: first.tokens.refreshToken, generation: 0 };
  const read = new Map<number, Held>();
  let stolen: Held | undefined;
  let hasAbused = false;
  /** The newest generation that the clients have made, whether they heard of it or not. */
  let made = 0;
  /** A client whose answer was lost; it asks again before the grace is over. */
  let unanswered: number | undefined;

  async function wait(ms: number): Promise<void> {
    if (unanswered !== undefined) await send(unanswered, false);
    family.ageMs += ms;
    await sql`update sessions set rotate_time = rotate_time - ${ms}::int * interval '1 millisecond' where id = ${id}`;
  }

  /** Sends a token and holds the answer against the rule. */
  async function present(held: Held, ip: string): Promise<Held | undefined> {
    const isCurrent = !family.isDead && held.generation === family.generation;
    const isGrace = held.generation === family.generation - 1 && family.holder === ip && family.ageMs <= graceMs;
    const answer = await refresh(deps, message(held.token), callFrom(ip)).catch((error: unknown) => error);
    if (!isCurrent && (family.isDead || !isGrace)) {
      family.isDead = true;
      equal(await reasonOf(Promise.reject(answer)), 'TOKEN_REUSE_DETECTED', 'a token of the past');
      return undefined;
    }
    const { refreshToken = '' } = answer as { refreshToken?: string };
    if (isCurrent) {
      Object.assign(family, { generation: held.generation + 1, ageMs: 0, holder: ip, successor: refreshToken });
    }
    equal(refreshToken, family.successor, 'the successor');
    return { token: refreshToken, generation: family.generation };
  }

  function keep(answer: Held | undefined): void {
    if (answer !== undefined && answer.generation > store.generation) store = answer;
  }

  async function send(client: number, isLost: boolean): Promise<void> {
    const held = read.get(client);
    // An honest client doesn't sit on a token until it is of the past: it reads again.
    const isPast =
      held !== undefined && (held.generation < made - 1 || (held.generation < made && family.ageMs > graceMs));
    if (held === undefined || isPast) return;
    const answer = await present(held, people);
    made = Math.max(made, answer?.generation ?? 0);
    if (isLost) {
      unanswered = client;
      return;
    }
    if (unanswered === client) unanswered = undefined;
    read.delete(client);
    keep(answer);
  }

  async function race(): Promise<void> {
    if (family.isDead || store.generation !== family.generation) return;
    for (let client = 0; client < clients; client += 1) read.set(client, store);
    const before = store;
    const answers = await Promise.all([...read].map(() => refresh(deps, message(before.token), callFrom(people))));
    const distinct = new Set(answers.map((answer) => JSON.stringify(answer)));
    equal(distinct.size, 1, 'answers of a race');
    const { refreshToken = '' } = answers[0] ?? {};
    const generation = before.generation + 1;
    Object.assign(family, { generation, ageMs: 0, holder: people, successor: refreshToken });
    made = generation;
    keep({ token: refreshToken, generation });
    read.clear();
    unanswered = undefined;
  }

  async function abuse(from: 'elsewhere' | 'the same network'): Promise<void> {
    if (stolen === undefined) return;
    hasAbused = true;
    stolen = (await present(stolen, from === 'elsewhere' ? elsewhere : people)) ?? stolen;
  }

  return {
    async run(each: Step): Promise<void> {
      if (each.kind === 'read' && each.client !== unanswered) read.set(each.client, store);
      else if (each.kind === 'read') return;
      else if (each.kind === 'send') await send(each.client, each.isLost);
      else if (each.kind === 'race') await race();
      else if (each.kind === 'wait') await wait(each.ms);
      else if (each.kind === 'steal') stolen = store;
      else await abuse(each.from);
      await countUnused(1);
    },
    /** Both go on once more, outside of the grace; answers whether the family is dead. */
    async end(): Promise<boolean> {
      await wait(afterGraceMs);
      if (hasAbused) await abuse('elsewhere');
      await wait(afterGraceMs);
      await present(store, people);
      equal(family.isDead, hasAbused, 'the family is dead exactly when there was a thief');
      await countUnused(family.isDead ? 0 : 1);
      return family.isDead;
    },
  };

  async function countUnused(most: number): Promise<void> {
    const [row] = await sql`
      select count(*) filter (where use_time is null and not revoked)::int as unused from refresh_tokens
      where session_id = ${id}`;
    if (Number(row?.['unused']) > most) throw new Error(`${row?.['unused']} unused tokens in one family`);
  }
}

function message(refreshToken: string) {
  return { $typeName: 'strongroom.auth.v1.RefreshRequest' as const, refreshToken };
}

function equal(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)} in place of ${String(expected)}`);
}

function callFrom(ipAddress: string): Call {
  return {
    requestId: uuidv7(),
    traceId: uuidv7().replaceAll('-', ''),
    ipAddress,
    userAgent: 'history/1',
    deviceId: '',
    caller: 'gateway',
    deadline: { remainingMs: () => 60_000 },
    signal: new AbortController().signal,
    method: AuthService.method.refresh,
    policy: methodPolicy(AuthService.method.refresh),
    requestHeader: new Headers(),
    responseHeader: new Headers(),
    responseTrailer: new Headers(),
  };
}
