import type { DescField, Message } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { RestRequestError } from './errors.ts';
import { JsonCursor, type JsonLimits } from './json-cursor.ts';
import { type LooseMessage, localFromMessage, setField } from './local-value.ts';
import { isJsonMediaType } from './media-type.ts';

/** A body as it came. */
export interface RequestBody {
  readonly bytes: Uint8Array | undefined;
  readonly contentType: string | undefined;
}

/** What a body can be read into. */
export interface BodyShape {
  readonly limits: JsonLimits;
  readonly jsonTypes: ReadonlySet<string>;
}

// ignoreBOM keeps a byte order mark in the text, where it is no JSON and is refused: RFC 8259, 8.1.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body's text, or undefined for an empty body. Its type is checked even then: a form can send an empty body. */
export function readJsonText(body: RequestBody, shape: BodyShape): string | undefined {
  const isEmpty = body.bytes === undefined || body.bytes.length === 0;
  if (body.contentType === undefined ? !isEmpty : !isJsonMediaType(body.contentType, shape.jsonTypes)) {
    throw new RestRequestError('UNSUPPORTED_MEDIA_TYPE', [
      { field: '', rule: 'media_type', message: `the body must be ${[...shape.jsonTypes].join(' or ')}` },
    ]);
  }
  if (isEmpty) {
    return undefined;
  }
  try {
    return utf8.decode(body.bytes);
  } catch {
    throw new RestRequestError('MALFORMED_BODY', [{ field: '', rule: 'json.utf8', message: 'the body is not UTF-8' }]);
  }
}

/** Reads one JSON value with a compiled reader, and nothing after it. */
export function readJson<T>(
  text: string,
  path: string | undefined,
  shape: BodyShape,
  read: (cursor: JsonCursor) => T,
): T {
  const cursor = new JsonCursor(text, shape.limits);
  if (path !== undefined) {
    cursor.path.push(path);
  }
  const value = read(cursor);
  cursor.path.length = 0;
  cursor.expectEnd();
  cursor.violations.throwIfAny('INVALID_BODY');
  return value;
}

/** google.api.HttpBody takes the body as it is, of any type. */
export function isHttpBody(typeName: string | undefined): boolean {
  return typeName === 'google.api.HttpBody';
}

/** Puts a raw body into an HttpBody. */
export function writeHttpBody(target: LooseMessage, body: RequestBody): void {
  // The names are those of google/api/httpbody.proto.
  target.contentType = body.contentType ?? '';
  target.data = body.bytes ?? new Uint8Array();
}

/** Puts a raw body into a field of type bytes or HttpBody. */
export function writeRawField(message: LooseMessage, field: DescField, body: RequestBody): void {
  if (field.message === undefined) {
    setField(message, field, body.bytes ?? new Uint8Array());
    return;
  }
  const child = create(field.message);
  writeHttpBody(child as unknown as LooseMessage, body);
  setField(message, field, localFromMessage(field)(child as Message));
}
