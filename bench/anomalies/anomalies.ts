import {
  type Baseline,
  emptyBaseline,
  type Judged,
  judgePayment,
  judgeSignIn,
} from '../../services/admin/src/anomaly/anomaly-rules.ts';

const personCount = 1_000;
const days = 90;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** From it on a finding is more than a note. */
const tellingScore = 0.5;
const berlin = { country: 'DE', latitude: 52.5, longitude: 13.4 };
const lisbon = { country: 'PT', latitude: 38.7, longitude: -9.1 };
const sydney = { country: 'AU', latitude: -33.9, longitude: 151.2 };

type Random = () => number;

interface Person {
  readonly habitualHour: number;
  readonly usualMinorUnits: number;
  readonly random: Random;
  baseline: Baseline;
  timeMs: number;
}

type Attack = (person: Person) => Judged[];

/** What a thief does, from the plain to the careful. */
const attacks: Readonly<Record<string, Attack>> = {
  sign_in_from_far_away: (person) => [
    judgeSignIn(person.baseline, { timeMs: person.timeMs + hourMs, deviceId: 'stolen', place: sydney }),
  ],
  sign_in_next_door_at_night: (person) => {
    const timeMs = Math.floor(person.timeMs / dayMs + 1) * dayMs + ((person.habitualHour + 12) % 24) * hourMs;
    return [judgeSignIn(person.baseline, { timeMs, deviceId: 'stolen', place: berlin })];
  },
  account_emptied: (person) => [pay(person, 20 + 30 * person.random())],
  amount_thrice_the_usual: (person) => [pay(person, 3)],
  burst_of_payments: (person) => Array.from({ length: 15 }, () => pay(person, 0.5)),
};

/**
 * What the rules find in labelled synthetic traffic (S7.2). Honest people travel, buy new devices, now and then pay ten
 * times the usual, and some days come at odd hours.
 */
export async function runAnomalies(): Promise<Record<string, number>> {
  const random = createRandom(2_026);
  const honest = { signIns: 0, signInsTold: 0, payments: 0, paymentsTold: 0 };
  const found = new Map(Object.keys(attacks).map((name) => [name, 0]));
  for (let index = 0; index < personCount; index += 1) {
    const person = createPerson(random);
    for (let day = 0; day < days; day += 1) {
      const { signIns, payments } = liveADay(person);
      honest.signIns += signIns.length;
      honest.payments += payments.length;
      honest.signInsTold += signIns.filter(isTold).length;
      honest.paymentsTold += payments.filter(isTold).length;
    }
    for (const [name, attack] of Object.entries(attacks)) {
      if (attack({ ...person }).some(isTold)) found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
  const recalls = [...found].map(([name, count]) => [`recall_${name}`, count / personCount]);
  return {
    ...Object.fromEntries(recalls),
    false_positive_rate_sign_ins: honest.signInsTold / honest.signIns,
    false_positive_rate_payments: honest.paymentsTold / honest.payments,
  };
}

function isTold({ findings }: Judged): boolean {
  // Two notes of one act weigh as much as a finding.
  return findings.reduce((sum, { score }) => sum + score, 0) >= tellingScore;
}

function createPerson(random: Random): Person {
  return {
    habitualHour: 6 + Math.floor(random() * 16),
    usualMinorUnits: 1_000 + Math.floor(random() * 30_000),
    random,
    baseline: emptyBaseline,
    timeMs: Date.UTC(2026, 0, 1),
  };
}

function liveADay(person: Person): { signIns: Judged[]; payments: Judged[] } {
  const { random } = person;
  const midnightMs = Math.floor(person.timeMs / dayMs + 1) * dayMs;
  const oddHours = random() < 0.02 ? 6 : 0;
  person.timeMs = midnightMs + (person.habitualHour + oddHours + 2 * (random() - 0.5)) * hourMs;
  const signIn = judgeSignIn(person.baseline, {
    timeMs: person.timeMs,
    deviceId: random() < 0.005 ? `new ${person.timeMs}` : random() < 0.8 ? 'phone' : 'laptop',
    place: random() < 0.01 ? lisbon : berlin,
  });
  person.baseline = signIn.baseline;
  return { signIns: [signIn], payments: [pay(person, random() < 0.003 ? 10 : lognormal(random))] };
}

function pay(person: Person, times: number): Judged {
  person.timeMs += 1_000;
  const minorUnits = Math.max(1, Math.round(person.usualMinorUnits * times));
  const judged = judgePayment(person.baseline, { timeMs: person.timeMs, currencyCode: 'EUR', minorUnits });
  person.baseline = judged.baseline;
  return judged;
}

/** Median 1; amounts have a heavy tail. */
function lognormal(random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(0.5 * normal);
}

/** The same numbers in each run (Numerical Recipes' linear congruential generator). */
function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
