import { createHash, randomInt } from 'node:crypto';
import { findRecords, type SearchFilter } from '../../services/admin/src/audit/audit-search.ts';
import { getInclusionProof } from '../../services/admin/src/transparency/get-inclusion-proof.ts';
import type { LogFixture } from '../../services/admin/test/log-fixture.ts';
import { withEngines } from '../engines.ts';
import { percentile } from '../measure.ts';
import { absentText, createLargeLog, logDays, personCount, shares } from './large-log.ts';

const smallRows = 10_000;
const largeRows = 1_000_000;
const callsAFilter = 100;
const warmUpCalls = 10;
const pageSize = 50;
const msPerDay = 86_400_000;
const proofCalls = 200;

type Filters = Readonly<Record<string, () => SearchFilter>>;

/**
 * Latency of the list at its filters with a million rows against ten thousand, and of an inclusion proof at a million: both
 * should hardly depend on the size (B-log).
 */
export function runAuditQueries(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const small = await createLargeLog(smallRows);
    const large = await createLargeLog(largeRows);
    try {
      const figures: Record<string, number> = {};
      const all = { small: [] as number[], large: [] as number[] };
      const [ofSmall, ofLarge] = [filtersOf(smallRows), filtersOf(largeRows)];
      for (const name of Object.keys(ofSmall)) {
        const latencies = await measureInTurn(
          small,
          large,
          ofSmall[name] as () => SearchFilter,
          ofLarge[name] as never,
        );
        all.small.push(...latencies.small);
        all.large.push(...latencies.large);
        figures[`${name}_p99_ms`] = p99(latencies.large);
        figures[`${name}_p99_ratio`] = p99(latencies.large) / p99(latencies.small);
      }
      figures['p99_large_to_small_ratio'] = p99(all.large) / p99(all.small);
      figures['inclusion_proof_p99_ms'] = p99(await measureProofs(large));
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

/** In turn, so that both meet the same moods of the machine. */
async function measureInTurn(
  small: LogFixture,
  large: LogFixture,
  ofSmall: () => SearchFilter,
  ofLarge: () => SearchFilter,
) {
  const latencies = { small: [] as number[], large: [] as number[] };
  for (let call = -warmUpCalls; call < callsAFilter; call += 1) {
    const ofThese = { small: await latencyOf(small, ofSmall()), large: await latencyOf(large, ofLarge()) };
    if (call < 0) continue;
    latencies.small.push(ofThese.small);
    latencies.large.push(ofThese.large);
  }
  return latencies;
}

async function latencyOf(log: LogFixture, filter: SearchFilter): Promise<number> {
  const startMs = performance.now();
  await findRecords(log.auditDatabase, filter, { limit: pageSize, descending: true });
  return performance.now() - startMs;
}

async function measureProofs(log: LogFixture): Promise<number[]> {
  const latencies: number[] = [];
  for (let call = -warmUpCalls; call < proofCalls; call += 1) {
    const sequence = BigInt(randomInt(largeRows));
    const startMs = performance.now();
    await getInclusionProof(log, { sequence } as never);
    if (call >= 0) latencies.push(performance.now() - startMs);
  }
  return latencies;
}

function p99(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.99,
  );
}
