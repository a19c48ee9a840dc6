export { blindIndex, equalConstantTime, hmacSha256, sha256, uuidv7 } from './digest.ts';
export {
  encryptedColumns,
  encryptedJson,
  encryptedText,
  type Opened,
  openRow,
  Sealed,
  sealColumn,
  sealRow,
} from './encrypted-column.ts';
export { createFieldCipher, type FieldCipher, type FieldPlace } from './field-cipher.ts';
export {
  createKeyring,
  type KeyPurpose,
  type Keyring,
  keyringFromConfig,
  type MasterKey,
  parseMasterKey,
} from './keyring.ts';
export { type Reencrypted, type ReencryptOptions, reencryptColumn } from './re-encrypt.ts';
export { OpenError, openBytes, readSealed, sealBytes } from './sealed-bytes.ts';
export { type SealedColumn, type SealingDatabase, sealedColumns } from './sealed-columns.ts';
