import { type CityResponse, open } from 'maxmind';
import type { Place } from './anomaly-rules.ts';

const cacheMax = 10_000;

/** Where an address is; undefined where that is not known. */
export type FindPlace = (ipAddress: string) => Place | undefined;

/** Of a database in MaxMind's format, with cities or with countries alone. Without one, places are not judged. */
export async function openPlaces(file: string | undefined): Promise<FindPlace> {
  if (file === undefined) return () => undefined;
  const reader = await open<CityResponse>(file, { cache: { max: cacheMax } });
  return (ipAddress) => {
    const found = ipAddress === '' ? null : reader.get(ipAddress);
    const country = found?.country?.iso_code;
    if (!country) return undefined;
    const { latitude, longitude } = found.location ?? {};
    return latitude === undefined || longitude === undefined ? { country } : { country, latitude, longitude };
  };
}
