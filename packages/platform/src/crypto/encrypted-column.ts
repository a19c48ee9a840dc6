import { getTableColumns, getTableName, type Table } from 'drizzle-orm';
import { customType, type PgTable } from 'drizzle-orm/pg-core';
import type { FieldCipher } from './field-cipher.ts';

/** The ciphertext of a value of type T. It opens only with the cipher, at its own table, column and row. */
export class Sealed<T> {
  declare readonly plaintextType: T;
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  toJSON(): string {
    return '[sealed]';
  }
}

type Content = 'text' | 'json';
const contentOf = new WeakMap<object, Content>();

/**
 * A bytea column whose values are sealed. Drizzle's column types don't see the row, and a ciphertext must be bound to
 * it, so the column holds `Sealed` values: `sealRow` and `openRow` turn all encrypted columns of a row at once, and the
 * compiler refuses a plaintext where a `Sealed` belongs.
 */
export function encryptedText(column: string) {
  return encryptedColumn<string>('text')(column);
}

export function encryptedJson<T>(column: string) {
  return encryptedColumn<T>('json')(column);
}

function encryptedColumn<T>(content: Content) {
  const toDriver = (value: Sealed<T>): Buffer => {
    if (!(value instanceof Sealed)) throw new TypeError('An encrypted column takes only sealed values: use sealRow.');
    return value.bytes;
  };
  contentOf.set(toDriver, content);
  return customType<{ data: Sealed<T>; driverData: Buffer }>({
    dataType: () => 'bytea',
    toDriver,
    fromDriver: (bytes) => new Sealed<T>(bytes),
  });
}

/** The row as the application knows it: sealed columns replaced by what they hold. */
export type Opened<Row> = {
  [Key in keyof Row]: Row[Key] extends Sealed<infer T> | infer Rest
    ? Extract<Row[Key], Sealed<T>> extends never
      ? Row[Key]
      : T | Exclude<Rest, Sealed<T>>
    : Row[Key];
};

/** Seals every encrypted column of a row for an insert or update. The row's id must be known. */
export function sealRow<T extends PgTable, Row extends Partial<Opened<T['$inferInsert']>>>(
  cipher: FieldCipher,
  table: T,
  rowId: string,
  values: Row,
): { [Key in keyof Row]: Key extends keyof T['$inferInsert'] ? T['$inferInsert'][Key] : never } {
  const sealed: Record<string, unknown> = { ...values };
  for (const property of encryptedColumns(table).keys()) {
    const value = sealed[property];
    if (value === undefined || value === null) continue;
    sealed[property] = sealColumn(cipher, table, property, rowId, value);
  }
  return sealed as never;
}

/** Opens every encrypted column of a row that was read. Throws OpenError for a value that isn't this row's own. */
export function openRow<T extends PgTable, Row extends Partial<T['$inferSelect']>>(
  cipher: FieldCipher,
  table: T,
  rowId: string,
  row: Row,
): Opened<Row> {
  const opened: Record<string, unknown> = { ...row };
  for (const [property, place] of encryptedColumns(table)) {
    const value = opened[property];
    if (!(value instanceof Sealed)) continue;
    const at = { table: getTableName(table), column: place.column, row: rowId };
    opened[property] = place.content === 'json' ? cipher.openJson(value.bytes, at) : cipher.open(value.bytes, at);
  }
  return opened as Opened<Row>;
}

/** One column's value, where a statement sets only that. */
export function sealColumn<T>(cipher: FieldCipher, table: Table, property: string, rowId: string, value: T): Sealed<T> {
  const place = encryptedColumns(table).get(property);
  if (place === undefined) throw new TypeError(`${getTableName(table)}.${property} is no encrypted column.`);
  const at = { table: getTableName(table), column: place.column, row: rowId };
  return new Sealed<T>(place.content === 'json' ? cipher.sealJson(value, at) : cipher.seal(String(value), at));
}

interface EncryptedPlace {
  readonly column: string;
  readonly content: Content;
}

const columnsOfTable = new WeakMap<Table, Map<string, EncryptedPlace>>();

export function encryptedColumns(table: Table): Map<string, EncryptedPlace> {
  const known = columnsOfTable.get(table);
  if (known !== undefined) return known;
  const found = new Map<string, EncryptedPlace>();
  for (const [property, column] of Object.entries(getTableColumns(table))) {
    const toDriver = (column as { mapTo?: object }).mapTo;
    const content = toDriver === undefined ? undefined : contentOf.get(toDriver);
    if (content !== undefined) found.set(property, { column: column.name, content });
  }
  columnsOfTable.set(table, found);
  return found;
}
