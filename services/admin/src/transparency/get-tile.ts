import type { MessageInitShape } from '@bufbuild/protobuf';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { GetTileRequest, GetTileResponseSchema } from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { type Call, requireAccess } from '@strongroom/platform/rpc';
import {
  encodeEntryBundle,
  HASH_BYTES,
  parseTilePath,
  TILE_WIDTH,
  type TileAddress,
  TlogError,
  tileWidth,
} from '@strongroom/tlog';
import { createTileReader, readEntries } from '../audit/log-store.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { TransparencyDeps } from './get-inclusion-proof.ts';

const checkpointPath = 'checkpoint';
const checkpointType = 'text/plain; charset=utf-8';
const tileType = 'application/octet-stream';

/**
 * A file of the log as C2SP tlog-tiles names it. Only what the latest checkpoint covers is given out, to anyone or, as
 * GetCheckpoint, to administrators: the gateway sends on whose token came.
 */
export async function getTile(
  deps: TransparencyDeps & Pick<Deps, 'isLogPublic'>,
  request: GetTileRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetTileResponseSchema>> {
  if (!deps.isLogPublic) requireAccess(AdminService.method.getCheckpoint, call);
  const latest = await deps.checkpointer.latest();
  if (!latest) throw errors.TILE_NOT_FOUND();
  if (request.path === checkpointPath) {
    return { file: { contentType: checkpointType, data: Buffer.from(latest.note, 'utf8') } };
  }
  const tile = parsePath(request.path);
  const level = tile.level === 'entries' ? 0 : tile.level;
  if (tileWidth(level, tile.index, latest.size) < tile.width) throw errors.TILE_NOT_FOUND();
  return { file: { contentType: tileType, data: await readTile(deps, tile) } };
}

async function readTile(
  { auditDatabase }: TransparencyDeps,
  { level, index, width }: TileAddress,
): Promise<Uint8Array> {
  if (level === 'entries') {
    const entries = await readEntries(auditDatabase, index * TILE_WIDTH, width);
    if (entries.length < width) throw errors.LOG_INCONSISTENT();
    return encodeEntryBundle(entries.map(({ entry }) => entry));
  }
  const bytes = await createTileReader(auditDatabase)(level, index, width);
  if (!bytes || bytes.length < width * HASH_BYTES) throw errors.LOG_INCONSISTENT();
  return bytes.subarray(0, width * HASH_BYTES);
}

function parsePath(path: string): TileAddress {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof TlogError) throw errors.TILE_NOT_FOUND({ cause: error });
    throw error;
  }
}
