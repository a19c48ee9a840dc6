import { createHash } from 'node:crypto';

/** The kinds of the contract, by name. */
export const anomalyKinds = [
  'NEW_COUNTRY',
  'IMPOSSIBLE_TRAVEL',
  'UNUSUAL_HOUR',
  'NEW_DEVICE',
  'AMOUNT_OUTLIER',
  'VELOCITY',
  'CREDENTIAL_STUFFING',
  'MASS_WRITE',
] as const;
export type AnomalyKindName = (typeof anomalyKinds)[number];

export interface Place {
  readonly country: string;
  /** Degrees; undefined where the database knows countries only. */
  readonly latitude?: number;
  readonly longitude?: number;
}

/** What is known of a person from the log so far. Bounded, and deleted with an erasure. */
export interface Baseline {
  readonly signIns: number;
  readonly countries: readonly string[];
  /** Hashes of device ids. */
  readonly devices: readonly string[];
  /** Sign-ins by hour of the day, UTC. */
  readonly hours: readonly number[];
  readonly lastPlace?: Place & { readonly timeMs: number };
  /** Minor units by currency, the newest last. */
  readonly amounts: Readonly<Record<string, readonly number[]>>;
  /** When the newest payments were made. */
  readonly paymentTimesMs: readonly number[];
}

export const emptyBaseline: Baseline = {
  signIns: 0,
  countries: [],
  devices: [],
  hours: Array.from({ length: 24 }, () => 0),
  amounts: {},
  paymentTimesMs: [],
};

export interface Finding {
  readonly kind: AnomalyKindName;
  /** 0 to 1. */
  readonly score: number;
  readonly reason: string;
}

export interface Judged {
  readonly findings: readonly Finding[];
  readonly baseline: Baseline;
}

const countriesMax = 32;
const devicesMax = 32;
const amountsMax = 100;
const currenciesMax = 8;
/** Before that much is known of someone, everything would be unusual. */
const signInsMin = 5;
const hourSignInsMin = 20;
const amountsMin = 8;
/** Above a passenger aeroplane's speed, with room for errors of the place. */
const speedMaxKmh = 1_000;
const distanceMinKm = 300;
/** Iglewicz and Hoaglin (1993) take 3.5 for an outlier; amounts have heavy tails. */
const outlierScoreMin = 6;
/** Makes the median absolute deviation estimate the standard deviation of a normal distribution. */
const madFactor = 1.4826;
const velocityWindowMs = 60_000;
const velocityMax = 10;
const earthRadiusKm = 6_371;
const msPerHour = 3_600_000;

export function judgeSignIn(
  baseline: Baseline,
  fact: { timeMs: number; deviceId: string; place: Place | undefined },
): Judged {
  const { timeMs, deviceId, place } = fact;
  const findings: Finding[] = [];
  const isKnown = baseline.signIns >= signInsMin;
  const device = deviceId === '' ? undefined : createHash('sha256').update(deviceId).digest('base64url').slice(0, 16);
  if (isKnown && device && !baseline.devices.includes(device)) {
    findings.push({ kind: 'NEW_DEVICE', score: 0.3, reason: 'a device not seen before' });
  }
  if (isKnown && place && baseline.countries.length > 0 && !baseline.countries.includes(place.country)) {
    findings.push({ kind: 'NEW_COUNTRY', score: 0.6, reason: `a country not seen before: ${place.country}` });
  }
  const travel = place && travelOf(baseline, place, timeMs);
  if (travel) findings.push(travel);
  const hour = new Date(timeMs).getUTCHours();
  if (isUnusualHour(baseline, hour)) {
    findings.push({ kind: 'UNUSUAL_HOUR', score: 0.3, reason: `an hour of the day not seen before: ${hour} UTC` });
  }
  const known = {
    ...baseline,
    signIns: baseline.signIns + 1,
    hours: baseline.hours.with(hour, (baseline.hours[hour] ?? 0) + 1),
  };
  return {
    findings,
    baseline: {
      ...known,
      ...(device ? { devices: remember(baseline.devices, device, devicesMax) } : {}),
      ...(place
        ? { countries: remember(baseline.countries, place.country, countriesMax), lastPlace: { ...place, timeMs } }
        : {}),
    },
  };
}

/** Amounts are compared with the person's own in the same currency, by median and median absolute deviation. */
export function judgePayment(
  baseline: Baseline,
  fact: { timeMs: number; currencyCode: string; minorUnits: number },
): Judged {
  const { timeMs, currencyCode, minorUnits } = fact;
  const findings: Finding[] = [];
  const amounts = baseline.amounts[currencyCode] ?? [];
  const score = amounts.length >= amountsMin ? outlierScore(amounts, minorUnits) : 0;
  if (score > outlierScoreMin) {
    const reason = `an amount ${score.toFixed(1)} robust deviations above the usual in ${currencyCode}`;
    findings.push({ kind: 'AMOUNT_OUTLIER', score: Math.min(1, score / (4 * outlierScoreMin)), reason });
  }
  const recent = baseline.paymentTimesMs.filter((time) => timeMs - time < velocityWindowMs);
  // Once, when the bound is passed: not again with each further payment.
  if (recent.length === velocityMax) {
    findings.push({ kind: 'VELOCITY', score: 0.7, reason: `more than ${velocityMax} payments within a minute` });
  }
  const isRoom = currencyCode in baseline.amounts || Object.keys(baseline.amounts).length < currenciesMax;
  return {
    findings,
    baseline: {
      ...baseline,
      paymentTimesMs: [...recent, timeMs].slice(-2 * velocityMax),
      ...(isRoom
        ? { amounts: { ...baseline.amounts, [currencyCode]: [...amounts, minorUnits].slice(-amountsMax) } }
        : {}),
    },
  };
}

/** A statement that writes so many rows is told of (S4.4). */
const massRowsMin = 100;
/** The runtime role of a service. */
const serviceRole = /^[a-z]+_app$/;

/** What the write audit's trigger records of a statement. */
export interface WriteFact {
  readonly actorKind: string;
  readonly databaseRole: string;
  readonly operation: string;
  readonly rows: number;
  readonly table: string;
}

/** A write to a table by nobody known, or to many rows at once (S4.4). */
export function judgeWrite(fact: WriteFact): Finding[] {
  const { operation, rows, table } = fact;
  if (isPastServices(fact)) {
    return [{ kind: 'MASS_WRITE', score: 0.8, reason: `a write to ${table} that no request made` }];
  }
  if (operation === 'TRUNCATE') return [{ kind: 'MASS_WRITE', score: 0.9, reason: `${table} was emptied` }];
  if (!isMassWrite(fact)) return [];
  return [{ kind: 'MASS_WRITE', score: 0.6, reason: `${rows} rows of ${table} written at once` }];
}

/**
 * The trigger says `database` where no transaction of ours named an actor: somebody wrote past the services. Whoever
 * connects as another role can name an actor too, and is no service all the same.
 */
export function isPastServices({ actorKind, databaseRole }: Pick<WriteFact, 'actorKind' | 'databaseRole'>): boolean {
  return actorKind === 'database' || !serviceRole.test(databaseRole);
}

/** The trigger can't count what TRUNCATE takes. */
export function isMassWrite({ operation, rows }: Pick<WriteFact, 'operation' | 'rows'>): boolean {
  return operation === 'TRUNCATE' || rows >= massRowsMin;
}

export function outlierScore(amounts: readonly number[], amount: number): number {
  const center = median(amounts);
  const spread = madFactor * median(amounts.map((other) => Math.abs(other - center)));
  // Somebody who always pays the same has no spread: a tenth of the usual counts as one.
  return (amount - center) / Math.max(spread, center / 10, 1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function travelOf({ lastPlace }: Baseline, place: Place, timeMs: number): Finding | undefined {
  if (!lastPlace) return undefined;
  const distanceKm = distanceBetween(lastPlace, place);
  const hours = Math.max(0, timeMs - lastPlace.timeMs) / msPerHour;
  if (distanceKm === undefined || distanceKm < distanceMinKm || distanceKm / Math.max(hours, 1 / 60) < speedMaxKmh)
    return undefined;
  const reason = `${Math.round(distanceKm)} km in ${hours.toFixed(1)} hours`;
  return { kind: 'IMPOSSIBLE_TRAVEL', score: 0.9, reason };
}

/** Great-circle distance by the haversine formula. */
export function distanceBetween(a: Place, b: Place): number | undefined {
  if (a.latitude === undefined || a.longitude === undefined || b.latitude === undefined || b.longitude === undefined)
    return undefined;
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const [latitudeA, latitudeB] = [radians(a.latitude), radians(b.latitude)];
  const h =
    Math.sin((latitudeB - latitudeA) / 2) ** 2 +
    Math.cos(latitudeA) * Math.cos(latitudeB) * Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Neither that hour nor one beside it, in a person's habits of some length. */
function isUnusualHour({ hours, signIns }: Baseline, hour: number): boolean {
  if (signIns < hourSignInsMin) return false;
  return [hour + 23, hour, hour + 1].every((near) => (hours[near % 24] ?? 0) === 0);
}

function remember(known: readonly string[], value: string, max: number): string[] {
  return [...known.filter((other) => other !== value), value].slice(-max);
}
