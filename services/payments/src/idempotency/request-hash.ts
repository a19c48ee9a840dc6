import { clone, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { DataClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { sha256 } from '@strongroom/platform/crypto';
import { fieldPolicy } from '@strongroom/platform/rpc';

const requestIdField = 'request_id';

/**
 * What makes two requests the same: their content, whatever protocol carried it. The key's own
 * field is left out, as it may come by header instead, and so is every secret: a card's verification code has a thousand values, and nothing that depends on it may be kept (S4.3).
 */
export function hashRequest(schema: DescMessage, request: Message): Buffer {
  const copy = clone(schema, request);
  makeCanonical(schema, copy);
  return sha256(toBinary(schema, copy, { writeUnknownFields: false }));
}

function makeCanonical(schema: DescMessage, message: Message): void {
  const fields = reflect(schema, message);
  for (const field of schema.fields) {
    if (field.name === requestIdField || fieldPolicy(field)?.data === DataClass.SECRET) {
      fields.clear(field);
    } else if (field.fieldKind === 'message' && fields.isSet(field)) {
      makeCanonical(field.message, fields.get(field).message);
    } else if (field.fieldKind === 'map') {
      // The wire form keeps the order in which a map was filled, which differs between JSON and binary callers.
      sortMap(message as unknown as Record<string, unknown>, field.localName);
    }
  }
}

function sortMap(message: Record<string, unknown>, name: string): void {
  const map = message[name] as Record<string, unknown>;
  const keys = Object.keys(map).sort();
  message[name] = Object.fromEntries(keys.map((key) => [key, map[key]]));
}
