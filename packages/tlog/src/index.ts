/**
 * The verifiable log (requirements B-log, B-receipt): RFC 9162 Merkle tree in the C2SP formats, pure functions over ports.
 * Sizes and indexes are safe integers counted in entries, hashes 32-byte Uint8Arrays, times POSIX seconds. Refusals are
 * TlogError with a code of a closed list.
 */
export type { CanonicalValue } from './canonical-json.ts';
export { canonicalJson } from './canonical-json.ts';
export {
  type Checkpoint,
  type Cosignature,
  formatCheckpoint,
  minimumIndexFromCheckpoint,
  minimumIndexToExtensions,
  type OpenedCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  parseUnverifiedCheckpoint,
  signCheckpoint,
  type Trust,
} from './checkpoint.ts';
export {
  type AuditRecord,
  createSalt,
  ENTRY_BYTES,
  RECORD_BYTES_MAX,
  recordToCanonicalJson,
  recordToEntry,
  recordToLeafHash,
  SALT_BYTES,
} from './commitment.ts';
export { cosignatureTimestamp, createCosignatureVerifier, createCosigner } from './cosignature.ts';
export { TlogError, type TlogErrorCode } from './errors.ts';
export { EXPORT_CHECKPOINTS_MAX, EXPORT_FORMAT } from './export-format.ts';
export { type ExportOptions, type ExportRow, exportLog } from './export-log.ts';
export { emptyRoot, HASH_BYTES, isSameHash, leafHash, nodeHash } from './hash.ts';
export {
  appendSignatureLines,
  createNoteSigner,
  createNoteVerifier,
  createVerifierKey,
  formatVerifierKey,
  type Note,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseNote,
  parseVerifierKey,
  privateKeyFromSeed,
  SIGNATURE_TYPE_COSIGNATURE,
  SIGNATURE_TYPE_ED25519,
  signNote,
  type VerifierKey,
} from './note.ts';
export { formatProof, openProof, parseProof, type TlogProof } from './proof.ts';
export { formatReceipt, openReceipt, type Receipt } from './receipt.ts';
export {
  decodeEntryBundle,
  ENTRY_BYTES_MAX,
  encodeEntryBundle,
  parseTilePath,
  type ReadTile,
  TILE_WIDTH,
  type TileAddress,
  tilePath,
  tileWidth,
} from './tile.ts';
export {
  APPEND_LEAVES_MAX,
  appendLeaves,
  consistencyProof,
  emptyTreeState,
  inclusionProof,
  readTreeState,
  rootFromState,
  rootFromTiles,
  type TileUpdate,
  type TreeState,
} from './tiled-tree.ts';
export {
  type CompactRange,
  type ConsistencyClaim,
  createCompactRange,
  type InclusionClaim,
  isConsistencyProofValid,
  isInclusionProofValid,
} from './tree.ts';
export {
  type VerifyFailure,
  type VerifyFailureCode,
  type VerifyOptions,
  type VerifyResult,
  type VerifySuccess,
  verifyExport,
} from './verify.ts';
export type { TrustOptions, TrustReport } from './verify-trust.ts';
export { createWitnessClient, type WitnessClient } from './witness/client.ts';
export { createWitnessServer, type WitnessServerDeps } from './witness/server.ts';
export { type CheckpointStore, openCheckpointStore } from './witness/store.ts';
