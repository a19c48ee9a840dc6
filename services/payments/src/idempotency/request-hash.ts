import { clone, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { hmacSha256 } from '@strongroom/platform/crypto';

const requestIdField = 'request_id';

/**
 * What makes two requests the same: their content, whatever protocol carried it. Keyed, because a bare hash of a short
 * request could be undone by trying. The key's own field is left out, as it may come by header instead.
 */
export function hashRequest(key: Uint8Array, schema: DescMessage, request: Message): Buffer {
  const copy = clone(schema, request);
  const fields = reflect(schema, copy);
  for (const field of schema.fields) {
    if (field.name === requestIdField) fields.clear(field);
    // The wire form keeps the order in which a map was filled, which differs between JSON and binary callers.
    if (field.fieldKind === 'map') sortMap(copy as unknown as Record<string, unknown>, field.localName);
  }
  return hmacSha256(key, toBinary(schema, copy, { writeUnknownFields: false }));
}

function sortMap(message: Record<string, unknown>, name: string): void {
  const map = message[name] as Record<string, unknown>;
  const keys = Object.keys(map).sort();
  message[name] = Object.fromEntries(keys.map((key) => [key, map[key]]));
}
