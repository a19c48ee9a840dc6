import { parse } from 'postgres-array';

/** Oids of PostgreSQL's own types: array → element. They are fixed (pg_type.dat). */
const elementOfArray: Readonly<Record<number, number>> = {
  1000: 16, // boolean
  1001: 17, // bytea
  1003: 19, // name
  1005: 21, // smallint
  1007: 23, // integer
  1009: 25, // text
  1014: 1042, // character
  1015: 1043, // character varying
  1016: 20, // bigint
  1021: 700, // real
  1022: 701, // double precision
  1028: 26, // oid
  1115: 1114, // timestamp
  1182: 1082, // date
  1183: 1083, // time
  1185: 1184, // timestamptz
  1231: 1700, // numeric
  199: 114, // json
  2951: 2950, // uuid
  3807: 3802, // jsonb
};

export interface TypeForms {
  readonly parsers: Record<number, (text: string) => unknown>;
  readonly serializers: Record<number, (value: unknown) => unknown>;
}

/**
 * Teaches the client arrays of the types it knows. postgres.js would ask the server for them on each new connection; that
 * question, cut off by a server that goes away, is a rejection that nobody can handle, which ends the process (F9), and a
 * connection that never learned the types sends arrays as text that isn't one.
 */
export function addArrayTypes({ parsers, serializers }: TypeForms): void {
  for (const [arrayOid, elementOid] of Object.entries(elementOfArray)) {
    const parseElement = parsers[elementOid];
    parsers[Number(arrayOid)] = (text) => parse(text, parseElement ?? ((element) => element));
    serializers[Number(arrayOid)] = (value) =>
      Array.isArray(value) ? arrayToText(value, serializers[elementOid]) : value;
  }
}

function arrayToText(values: readonly unknown[], serialize: ((value: unknown) => unknown) | undefined): string {
  const elements = values.map((value) => {
    if (value === null) return 'null';
    const text = String(serialize ? serialize(value) : value);
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${elements.join(',')}}`;
}
