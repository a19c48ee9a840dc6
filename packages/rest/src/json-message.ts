import type { DescField, DescMessage, JsonObject, JsonValue, Message, Registry } from '@bufbuild/protobuf';
import { create, fromJson, ScalarType } from '@bufbuild/protobuf';
import type { JsonCursor } from './json-cursor.ts';
import type { LooseMessage } from './local-value.ts';
import { localFromMessage, otherOneofCase, setField } from './local-value.ts';
import { isNumeric, nameOfScalar, ScalarMismatch, textToFieldValue, textToScalar } from './scalar.ts';
import { textToWellKnown } from './well-known.ts';

/** Reads one value at the cursor. `unset` when there is none to set: a violation was reported, or null was read. */
export type ValueReader = (cursor: JsonCursor) => unknown;
type FieldReader = (cursor: JsonCursor, target: LooseMessage) => void;

/** Stands for "no value": undefined could be mistaken for one. */
export const unset: unique symbol = Symbol('unset');

/** Compiles the readers of messages. Readers refer to one another, so recursive types are compiled once. */
export interface MessageReaders {
  /** Reads the message's JSON. */
  message(desc: DescMessage): ValueReader;
  /** Reads what a field of the message holds, into the message. */
  field(field: DescField): FieldReader;
}

/** `registry` holds the types that a google.protobuf.Any may carry; without it, none. */
export function createMessageReaders(registry?: Registry): MessageReaders {
  const compiled = new Map<DescMessage, ValueReader>();
  const readers: MessageReaders = {
    message(desc) {
      const known = compiled.get(desc);
      if (known !== undefined) {
        return known;
      }
      // Registered before its fields are compiled, for types that hold themselves.
      let reader: ValueReader | undefined;
      const late: ValueReader = (cursor) => (reader as ValueReader)(cursor);
      compiled.set(desc, late);
      reader = compileWellKnown(desc, registry) ?? compileMessage(desc, readers);
      compiled.set(desc, reader);
      return reader;
    },
    field: (field) => compileField(field, readers),
  };
  return readers;
}

interface FieldEntry {
  readonly index: number;
  readonly read: FieldReader;
}

function compileMessage(desc: DescMessage, readers: MessageReaders): ValueReader {
  const entries = new Map<string, FieldEntry>();
  for (const [index, field] of desc.fields.entries()) {
    const entry = { index, read: readers.field(field) };
    // proto JSON takes the lowerCamelCase name and the name of the .proto; they are one field.
    entries.set(field.name, entry).set(field.jsonName, entry);
  }
  return (cursor) => {
    if (cursor.peekKind() !== 'object') {
      return mismatch(cursor, 'must be an object');
    }
    const message = create(desc) as unknown as LooseMessage;
    const seen: boolean[] = [];
    let unknownKeys: Set<string> | undefined;
    cursor.readObject((key) => {
      const entry = entries.get(key);
      if (entry === undefined) {
        unknownKeys ??= new Set();
        cursor.checkKeyIsNew(unknownKeys, key);
        cursor.report('json.unknown_field', 'is not a field of this message');
        cursor.readValue();
        return;
      }
      if (seen[entry.index]) {
        cursor.fail('json.duplicate_key', 'the field stands twice in one object');
      }
      seen[entry.index] = true;
      entry.read(cursor, message);
    });
    return message;
  };
}

function compileField(field: DescField, readers: MessageReaders): FieldReader {
  switch (field.fieldKind) {
    case 'list':
      return compileList(field, compileElement(field, readers));
    case 'map':
      return compileMap(field, compileElement(field, readers));
    default:
      return compileSingular(field, compileElement(field, readers));
  }
}

function compileSingular(field: DescField, read: ValueReader): FieldReader {
  const takesNull = hasNullValue(field);
  return (cursor, target) => {
    if (!takesNull && cursor.takeNull()) {
      return;
    }
    const other = otherOneofCase(target, field);
    if (other !== undefined) {
      cursor.report('oneof', `can't be set together with ${other}`);
    }
    const value = read(cursor);
    if (value !== unset && other === undefined) {
      setField(target, field, value);
    }
  };
}

function compileList(field: DescField, read: ValueReader): FieldReader {
  const takesNull = hasNullValue(field);
  return (cursor, target) => {
    if (cursor.takeNull()) {
      return;
    }
    if (cursor.peekKind() !== 'array') {
      mismatch(cursor, 'must be an array');
      return;
    }
    const list = target[field.localName] as unknown[];
    cursor.readArray(() => {
      if (!takesNull && cursor.takeNull()) {
        cursor.report('type', 'must not be null');
        return;
      }
      const value = read(cursor);
      if (value !== unset) {
        list.push(value);
      }
    });
  };
}

function compileMap(field: DescField & { fieldKind: 'map' }, read: ValueReader): FieldReader {
  const takesNull = hasNullValue(field);
  const toKey = textToScalar({ scalar: field.mapKey, longAsString: false });
  return (cursor, target) => {
    if (cursor.takeNull()) {
      return;
    }
    if (cursor.peekKind() !== 'object') {
      mismatch(cursor, 'must be an object');
      return;
    }
    const map = target[field.localName] as Record<string, unknown>;
    const seen = new Set<string>();
    cursor.readObject((text) => {
      const key = toKey(text);
      if (key instanceof ScalarMismatch) {
        cursor.report('type', `the key ${key.expected}`);
      }
      // By value: "1" and "1.0" are one key of a map<int32, …>.
      cursor.checkKeyIsNew(seen, String(key));
      if (!takesNull && cursor.takeNull()) {
        cursor.report('type', 'must not be null');
        return;
      }
      const value = read(cursor);
      if (value !== unset) {
        map[String(key)] = value;
      }
    });
  };
}

/** null is a value of google.protobuf.Value and NullValue, and absence everywhere else. */
function hasNullValue(field: DescField): boolean {
  return field.message?.typeName === 'google.protobuf.Value' || field.enum?.typeName === 'google.protobuf.NullValue';
}

function compileElement(field: DescField, readers: MessageReaders): ValueReader {
  const child = field.message;
  if (child !== undefined) {
    const read = readers.message(child);
    const toLocal = localFromMessage(field);
    return (cursor) => {
      const message = read(cursor);
      return message === unset ? unset : toLocal(message as Message);
    };
  }
  if (field.enum?.typeName === 'google.protobuf.NullValue') {
    return (cursor) => (cursor.takeNull() ? 0 : mismatch(cursor, 'must be null'));
  }
  const convert = textToFieldValue(field);
  if (convert === undefined) {
    throw new TypeError(`${field} has no value type`);
  }
  if (field.enum !== undefined) {
    const expected = `must be one of the names of ${field.enum.name}`;
    return (cursor) => readScalar(cursor, ['string', 'number'], expected, convert);
  }
  const scalar = field.scalar as ScalarType;
  return compileScalar(scalar, convert);
}

function compileScalar(scalar: ScalarType, convert: (text: string) => unknown): ValueReader {
  const expected = `must be ${nameOfScalar(scalar)}`;
  if (scalar === ScalarType.BOOL) {
    return (cursor) => {
      const kind = cursor.peekKind();
      if (kind !== 'true' && kind !== 'false') {
        return mismatch(cursor, expected);
      }
      cursor.readWord(kind);
      return kind === 'true';
    };
  }
  if (scalar === ScalarType.STRING) {
    return (cursor) => (cursor.peekKind() === 'string' ? cursor.readString() : mismatch(cursor, expected));
  }
  const kinds: readonly string[] = isNumeric(scalar) ? ['number', 'string'] : ['string'];
  return (cursor) => readScalar(cursor, kinds, expected, convert);
}

function readScalar(
  cursor: JsonCursor,
  kinds: readonly string[],
  expected: string,
  convert: (text: string) => unknown,
): unknown {
  const kind = cursor.peekKind();
  if (!kinds.includes(kind)) {
    return mismatch(cursor, expected);
  }
  const value = convert(kind === 'string' ? cursor.readString() : cursor.readNumber());
  if (value instanceof ScalarMismatch) {
    cursor.report('type', value.expected);
    return unset;
  }
  return value;
}

/** Reports a value of another type and steps over it. */
function mismatch(cursor: JsonCursor, expected: string): typeof unset {
  cursor.report('type', expected);
  cursor.readValue();
  return unset;
}

function compileWellKnown(desc: DescMessage, registry: Registry | undefined): ValueReader | undefined {
  const fromText = textToWellKnown(desc);
  if (fromText !== undefined) {
    return compileTextual(desc, fromText);
  }
  switch (desc.typeName) {
    case 'google.protobuf.Struct':
      return (cursor) =>
        cursor.peekKind() === 'object' ? readGeneric(cursor, desc) : mismatch(cursor, 'must be an object');
    case 'google.protobuf.ListValue':
      return (cursor) =>
        cursor.peekKind() === 'array' ? readGeneric(cursor, desc) : mismatch(cursor, 'must be an array');
    case 'google.protobuf.Value':
      return (cursor) => readGeneric(cursor, desc);
    case 'google.protobuf.Any':
      return (cursor) => readAny(cursor, desc, registry);
    default:
      return undefined;
  }
}

/** Timestamp, Duration and FieldMask are strings; a wrapper is its own scalar. */
function compileTextual(desc: DescMessage, fromText: (text: string) => Message | ScalarMismatch): ValueReader {
  const isWrapper = desc.typeName.endsWith('Value');
  const scalar = isWrapper ? (desc.fields[0]?.scalar ?? ScalarType.STRING) : ScalarType.STRING;
  if (isWrapper && scalar === ScalarType.BOOL) {
    const readBool = compileScalar(scalar, () => unset);
    return (cursor) => {
      const value = readBool(cursor);
      return value === unset ? unset : fromText(String(value));
    };
  }
  const kinds = isNumeric(scalar) ? ['number', 'string'] : ['string'];
  return (cursor) => readScalar(cursor, kinds, `must be ${nameOfScalar(scalar)}`, fromText);
}

/** Types without a schema are read with every check of the cursor, then handed to protobuf-es. */
function readGeneric(cursor: JsonCursor, desc: DescMessage): Message {
  return fromJson(desc, cursor.readValue());
}

function readAny(cursor: JsonCursor, desc: DescMessage, registry: Registry | undefined): unknown {
  if (cursor.peekKind() !== 'object') {
    return mismatch(cursor, 'must be an object');
  }
  const json = cursor.readValue() as JsonObject;
  if (registry === undefined && Object.keys(json).length > 0) {
    cursor.report('type', 'no type is known that it could hold');
    return unset;
  }
  try {
    return fromJson(desc, json as JsonValue, registry && { registry });
  } catch {
    // protobuf-es names values in its messages, and values are not repeated.
    cursor.report('type', 'must be a known type with its own JSON');
    return unset;
  }
}
