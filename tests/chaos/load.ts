// Clients that do what people do, from a seed, and note what they see.
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@strongroom/testkit';
import fc from 'fast-check';
import type { Answer } from '../../scripts/journey/client.ts';
import type { SignedIn } from '../e2e/system-fixture.ts';
import type { Attempt, ClientHistory } from './client-history.ts';

const actionsPerClient = 5_000;
const pauseMs = 15;
const retryPauseMs = 200;
const resolveTimeoutMs = 60_000;

type Action = 'create' | 'get' | 'list' | 'me' | 'balances' | 'profile';

export interface LoadOptions {
  readonly people: readonly SignedIn[];
  readonly seed: number;
  readonly history: ClientHistory;
  /** Of payment keys, so that runs on one system don't meet. */
  readonly tag: string;
}

export interface Load {
  /** Waits until so many attempts more were answered, by whatever status. */
  answered(count: number): Promise<void>;
  /** Ends the load, and sends every payment whose outcome is unknown again until it is known. */
  stop(): Promise<void>;
}

/** One client a person; each sends payments to the next one. */
export function startLoad({ people, seed, history, tag }: LoadOptions): Load {
  let isStopping = false;
  const clients = people.map(async (person, index) => {
    const recipient = people[(index + 1) % people.length] ?? person;
    const client = createClient({ person, recipient, history });
    const actions = fc.sample(actionOf, { seed: seed + index, numRuns: actionsPerClient });
    for (let count = 0; !isStopping; count++) {
      await client.act(actions[count % actions.length] ?? 'list', `${tag}-${index}-${count}`);
      await delay(pauseMs);
    }
    await client.resolve();
  });
  return {
    async answered(count) {
      const enough = history.attempts.length + count;
      await until(() => history.attempts.length >= enough, {
        timeoutMs: resolveTimeoutMs,
        what: `${count} more answers`,
      });
    },
    async stop() {
      isStopping = true;
      await Promise.all(clients);
    },
  };
}

const actionOf = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Action>('create') },
  { weight: 1, arbitrary: fc.constantFrom<Action>('get', 'list', 'me', 'balances', 'profile') },
);

interface Unknown {
  readonly key: string;
  readonly minorUnits: number;
}

function createClient(parties: { person: SignedIn; recipient: SignedIn; history: ClientHistory }) {
  const { person, recipient, history } = parties;
  const unknown = new Map<string, Unknown>();
  let lastId: string | undefined;

  const note = async (route: string, send: () => Promise<Answer>, payment?: Unknown): Promise<Answer | undefined> => {
    const startMs = performance.now();
    const answer = await send().catch(() => undefined);
    const id = answer !== undefined && answer.status < 300 ? answer.body?.payment?.id : undefined;
    const attempt: Attempt = {
      route,
      token: person.token,
      startMs,
      endMs: performance.now(),
      status: answer?.status,
      hasRetryAfter: answer?.headers.has('retry-after') ?? false,
      ...(payment === undefined ? {} : { payment: { ...payment, id } }),
    };
    history.attempts.push(attempt);
    if (answer === undefined || answer.status >= 500) await delay(retryPauseMs);
    return answer;
  };

  const create = async (payment: Unknown): Promise<void> => {
    const body = {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: String(payment.minorUnits) },
      recipientId: recipient.id,
      description: payment.key,
    };
    const headers = { 'idempotency-key': payment.key };
    const send = () => person.post('/payments', { token: person.token, headers, body });
    const answer = await note('POST /payments', send, payment);
    const isKnown = answer !== undefined && answer.status < 500 && answer.status !== 409 && answer.status !== 429;
    if (isKnown) unknown.delete(payment.key);
    else unknown.set(payment.key, payment);
    if (isKnown && answer.status < 300) lastId = answer.body.payment.id;
  };

  const read = async (path: string): Promise<void> => {
    await note(`GET ${path}`, () => person.get(path, { token: person.token }));
  };

  return {
    async act(action: Action, key: string): Promise<void> {
      switch (action) {
        case 'create': {
          const [retried] = unknown.values();
          return create(retried ?? { key, minorUnits: 100 + (Number(key.split('-').at(-1)) % 800) });
        }
        case 'get':
          return read(lastId === undefined ? '/payments' : `/payments/${lastId}`);
        case 'list':
          return read('/payments');
        case 'me':
          return read('/auth/me');
        case 'balances':
          return read('/ledger/balances');
        case 'profile':
          return read('/profile');
      }
    },
    /** A client that got no answer asks again with its key until it has one (TigerBeetle's rule). */
    async resolve(): Promise<void> {
      const deadline = performance.now() + resolveTimeoutMs;
      while (unknown.size > 0 && performance.now() < deadline) {
        for (const payment of [...unknown.values()]) await create(payment);
      }
    },
  };
}
