// A marker in every SENSITIVE and SECRET field of the contract, and the places where none may turn up (B-canary).
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type DescField, type DescMessage, type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import {
  DataClass,
  field as fieldPolicy,
  fields as fieldsPolicy,
} from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { openSql } from '@strongroom/testkit';

const depthMax = 4;

export interface MarkedRequest {
  readonly method: DescMethod;
  /** Proto JSON with a marker in each field that holds a secret. */
  readonly json: Record<string, unknown>;
  readonly markers: readonly string[];
}

/** One request for each method whose request has such a field; most are refused, which must not echo a marker either. */
export function markedRequests(): MarkedRequest[] {
  return [AuthService, PaymentsService, ProfileService, AdminService]
    .flatMap((service) => service.methods as readonly DescMethod[])
    .flatMap((method) => {
      const markers: string[] = [];
      const json = markMessage(method.input, `${method.name}`, markers, depthMax);
      return markers.length === 0 ? [] : [{ method, json, markers }];
    });
}

function markMessage(message: DescMessage, path: string, markers: string[], depth: number): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const field of message.fields) {
    const at = `${path}.${field.name}`;
    if (field.fieldKind === 'message' && depth > 0) {
      const before = markers.length;
      const inner = markMessage(field.message, at, markers, depth - 1);
      if (markers.length > before) json[field.jsonName] = inner;
    } else if (field.fieldKind === 'scalar' && isGuarded(message, field)) {
      // Every RPC's own, so that a hit names where it came from.
      const marker = `cnry${createHash('sha256').update(at).digest('hex').slice(0, 24)}`;
      markers.push(marker);
      json[field.jsonName] = marker;
    }
  }
  return json;
}

function isGuarded(message: DescMessage, field: DescField): boolean {
  const own = hasOption(field, fieldPolicy) ? getOption(field, fieldPolicy).data : DataClass.UNSPECIFIED;
  const data =
    own === DataClass.UNSPECIFIED && hasOption(message, fieldsPolicy) ? getOption(message, fieldsPolicy).data : own;
  return data === DataClass.SENSITIVE || data === DataClass.SECRET;
}

/** Every row of every table of a database, as COPY writes it; bytea is in hex. */
export async function dumpDatabase(url: string): Promise<string> {
  const sql = openSql(url);
  try {
    const tables = await sql`
      select quote_ident(nspname) || '.' || quote_ident(relname) as name
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema')`;
    const dumps: string[] = [];
    for (const { name } of tables) dumps.push(await text(await sql.unsafe(`copy ${name} to stdout`).readable()));
    return dumps.join('\n');
  } finally {
    await sql.end();
  }
}

/** Whether a text holds a marker, as it is, in hex or in base64. */
export function holdsMarker(content: string | Buffer, marker: string): boolean {
  const bytes = Buffer.from(marker, 'utf8');
  // Of base64 only what doesn't depend on the bytes beside it.
  const base64 = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64');
  return [marker, bytes.toString('hex'), base64].some((form) => content.includes(form));
}

/** Files below a folder that hold one of the markers. */
export async function filesWithMarkers(folder: string, markers: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile()) continue;
    const content = await readFile(path);
    found.push(...markers.filter((marker) => holdsMarker(content, marker)).map((marker) => `${name}: ${marker}`));
  }
  return found;
}
