import { createHash, randomInt } from 'node:crypto';
import { findRecords, type SearchFilter } from '../../services/admin/src/audit/audit-search.ts';
import { getInclusionProof } from '../../services/admin/src/transparency/get-inclusion-proof.ts';
import type { LogFixture } from '../../services/admin/test/log-fixture.ts';
import { withEngines } from '../engines.ts';
import { percentile } from '../measure.ts';
import { absentText, createLargeLog, logDays, personCount, shares } from './large-log.ts';

const smallRows = 10_000;
const largeRows = 1_000_000;
const callsARound = 200;
/** A p99 is the lowest of as many: what other programs of the machine take away is not the log's. */
const rounds = 5;
const warmUpCalls = 10;
const pageSize = 50;
const msPerDay = 86_400_000;

type Filters = Readonly<Record<string, () => SearchFilter>>;

/** Latency of the list at each of its filters, and of an inclusion proof, at a million records against ten thousand (B-log). */
export function runAuditQueries(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const small = await createLargeLog(smallRows);
    const large = await createLargeLog(largeRows);
    try {
      const figures: Record<string, number> = {};
      const [ofSmall, ofLarge] = [filtersOf(smallRows), filtersOf(largeRows)];
      for (const name of Object.keys(ofSmall)) {
        const p99s = await measureInTurn(
          () => list(small, ofSmall[name]?.()),
          () => list(large, ofLarge[name]?.()),
        );
        Object.assign(figures, figuresOf(name, p99s));
      }
      const proofs = await measureInTurn(
        () => prove(small, smallRows),
        () => prove(large, largeRows),
      );
      Object.assign(figures, figuresOf('inclusion_proof', proofs));
      return figures;
    } finally {
      await small.close();
      await large.close();
    }
  });
}

/** Each filter of ListAuditEvents, and what is usually asked together. */
function filtersOf(rowCount: number): Filters {
  const person = () => uuidOf(`person ${randomInt(personCount(rowCount))}`);
  const resource = () => md5(`resource ${randomInt(rowCount)}`);
  const kind = () => shares[randomInt(shares.length)] as (typeof shares)[number];
  const action = () => kind()[0];
  const resourceType = () => kind()[1];
  const period = (days: number) => {
    const startMs = Date.now() - (days + Math.random() * (logDays - days)) * msPerDay;
    return { from: new Date(startMs).toISOString(), to: new Date(startMs + days * msPerDay).toISOString() };
  };
  return {
    none: () => ({}),
    action: () => ({ action: action() }),
    actor: () => ({ actorId: person() }),
    subject: () => ({ subjectId: person() }),
    resource_type: () => ({ resourceType: resourceType() }),
    resource: () => ({ resourceType: 'payment', resourceId: resource() }),
    resource_id: () => ({ resourceId: resource() }),
    day: () => period(1),
    month: () => period(30),
    from: () => ({ from: period(1).from }),
    to: () => ({ to: period(1).to }),
    day_and_action: () => ({ ...period(1), action: action() }),
    month_and_actor: () => ({ ...period(30), actorId: person() }),
    day_and_resource_type: () => ({ ...period(1), resourceType: resourceType() }),
    actor_and_action: () => ({ actorId: person(), action: action() }),
    subject_and_action: () => ({ subjectId: person(), action: action() }),
    action_and_resource_type: () => {
      const [of, type] = kind();
      return { action: of, resourceType: type };
    },
    text_of_one: () => ({ text: resource() }),
    text_of_most: () => ({ text: 'currencyCode' }),
    text_of_none: () => ({ text: absentText() }),
    action_and_text: () => ({ action: action(), text: resource() }),
    day_and_text: () => ({ ...period(1), text: resource() }),
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function uuidOf(text: string): string {
  const hex = md5(text);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

interface P99s {
  readonly small: number;
  readonly large: number;
}

/** In turn, so that both meet the same moods of the machine. */
async function measureInTurn(ofSmall: () => Promise<unknown>, ofLarge: () => Promise<unknown>): Promise<P99s> {
  for (let call = 0; call < warmUpCalls; call += 1) await Promise.all([ofSmall(), ofLarge()]);
  const p99s: P99s[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const latencies = { small: [] as number[], large: [] as number[] };
    for (let call = 0; call < callsARound; call += 1) {
      latencies.small.push(await latencyOf(ofSmall));
      latencies.large.push(await latencyOf(ofLarge));
    }
    p99s.push({ small: p99(latencies.small), large: p99(latencies.large) });
  }
  return { small: Math.min(...p99s.map(({ small }) => small)), large: Math.min(...p99s.map(({ large }) => large)) };
}

async function latencyOf(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return performance.now() - startMs;
}

function figuresOf(name: string, { small, large }: P99s): Record<string, number> {
  return { [`${name}_p99_ms`]: large, [`${name}_p99_ratio`]: large / small };
}

function list(log: LogFixture, filter: SearchFilter = {}): Promise<unknown> {
  return findRecords(log.auditDatabase, filter, { limit: pageSize, descending: true });
}

function prove(log: LogFixture, rowCount: number): Promise<unknown> {
  return getInclusionProof(log, { sequence: BigInt(randomInt(rowCount)) });
}

function p99(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.99,
  );
}
