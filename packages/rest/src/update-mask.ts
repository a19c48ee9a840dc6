import type { DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf';
import { findField, hasOwnJson } from './field-binding.ts';
import { textToWellKnown } from './well-known.ts';

/**
 * The fields that a body names, as a field mask (AIP-134): `{"name": "x", "address": {"city": null}}` gives `name` and
 * `address.city`. A list, a map and an empty object count as a whole.
 */
export function maskPathsFromJson(desc: DescMessage, json: JsonValue): string[] {
  return isObject(json) ? collect(desc, json, '') : [];
}

function collect(desc: DescMessage, json: JsonObject, prefix: string): string[] {
  const paths: string[] = [];
  for (const [key, value] of Object.entries(json)) {
    const field = findField(desc, key);
    if (field === undefined) {
      continue;
    }
    const path = `${prefix}${field.name}`;
    const child = openMessage(field);
    if (child !== undefined && isObject(value) && Object.keys(value).length > 0) {
      paths.push(...collect(child, value, `${path}.`));
    } else {
      paths.push(path);
    }
  }
  return paths;
}

/** The message whose own fields a mask can name. */
function openMessage(field: DescField): DescMessage | undefined {
  if (field.fieldKind !== 'message' || textToWellKnown(field.message) !== undefined || hasOwnJson(field.message)) {
    return undefined;
  }
  return field.message;
}

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
