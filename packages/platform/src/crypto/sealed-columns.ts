import type { KeyPurpose } from './keyring.ts';

/** A bytea column whose values a keyring has sealed. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** 'field': sealed by the field cipher, at its place. Any other: by the keyring itself, with `row` authenticated. */
  readonly purpose: KeyPurpose;
  /** SQL that gives the row's id as it was authenticated. */
  readonly row: string;
  /** Column of the blind index of the same value, which a new key changes too. */
  readonly index?: string;
}

const fields = (table: string, row: string, ...columns: string[]): SealedColumn[] =>
  columns.map((column) => ({ table, column, row, purpose: 'field' }));

/**
 * Every sealed column, by database: what a rotation of the master key seals again (S4.3). A bytea column that is neither here
 * nor a hash nor public fails a test.
 */
export const sealedColumns = {
  auth: [
    ...fields('sessions', 'id::text', 'refresh_key'),
    ...fields('totp_factors', 'user_id::text', 'seed', 'pending_seed'),
    { table: 'signing_keys', column: 'private_key', row: 'kid', purpose: 'signing-key' },
  ],
  payments: [
    { table: 'payment_methods', column: 'number', row: 'id::text', purpose: 'field', index: 'number_index' },
    ...fields('payment_methods', 'id::text', 'holder_name', 'psp_token'),
    ...fields(
      'idempotency_keys',
      "user_id || '/' || method || '/' || encode(key_hash, 'hex')",
      'request_hash',
      'response',
    ),
    ...fields('webhook_endpoints', 'id::text', 'secret', 'previous_secret'),
  ],
  profile: fields('profiles', 'user_id::text', 'phone', 'address', 'tax_id', 'date_of_birth'),
  audit: [{ table: 'parked_event', column: 'sealed_payload', row: 'id::text', purpose: 'audit-parked' }],
} as const satisfies Readonly<Record<string, readonly SealedColumn[]>>;

export type SealingDatabase = keyof typeof sealedColumns;
