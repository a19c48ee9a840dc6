import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { create, toJson } from '@bufbuild/protobuf';
import { isWrapperDesc, StructSchema } from '@bufbuild/protobuf/wkt';

/** A message seen as a bag of properties: how compiled code writes to it. */
export type LooseMessage = Record<string, unknown>;

interface OneofValue {
  case: string | undefined;
  value?: unknown;
}

/** The message that a field, a list's element or a map's value has, if that is what it has. */
export function messageOf(field: DescField): DescMessage | undefined {
  return field.message;
}

/**
 * Turns a child message into what protobuf-es keeps in the field: a Struct is kept as plain JSON, and a wrapper, in a
 * singular field outside a oneof, as its bare value.
 */
export function localFromMessage(field: DescField): (message: Message) => unknown {
  const child = field.message;
  if (child?.typeName === StructSchema.typeName && field.parent.typeName !== 'google.protobuf.Value') {
    return (message) => toJson(child, message);
  }
  if (child !== undefined && field.fieldKind === 'message' && field.oneof === undefined && isWrapperDesc(child)) {
    const valueName = child.fields[0]?.localName as string;
    return (message) => (message as unknown as LooseMessage)[valueName];
  }
  return (message) => message;
}

/** Sets a singular field. Returns the name of the oneof's other member when that is set already. */
export function setField(target: LooseMessage, field: DescField, value: unknown): string | undefined {
  if (field.oneof === undefined) {
    target[field.localName] = value;
    return undefined;
  }
  const other = otherOneofCase(target, field);
  if (other === undefined) {
    target[field.oneof.localName] = { case: field.localName, value } satisfies OneofValue;
  }
  return other;
}

/** JSON name of another member of the field's oneof that is set already. */
export function otherOneofCase(target: LooseMessage, field: DescField): string | undefined {
  if (field.oneof === undefined) {
    return undefined;
  }
  const current = (target[field.oneof.localName] as OneofValue).case;
  if (current === undefined || current === field.localName) {
    return undefined;
  }
  return field.oneof.fields.find((member) => member.localName === current)?.jsonName ?? current;
}

/** Whether a singular field has been given a value; one with implicit presence counts as unset at its default. */
export function getField(target: LooseMessage, field: DescField): unknown {
  if (field.oneof !== undefined) {
    const current = target[field.oneof.localName] as OneofValue;
    return current.case === field.localName ? current.value : undefined;
  }
  return Object.hasOwn(target, field.localName) ? target[field.localName] : undefined;
}

/** The child message of a field, made when it is not there yet; a string names the oneof member in the way. */
export function openChild(target: LooseMessage, field: DescField): LooseMessage | string {
  const child = field.message as DescMessage;
  const existing = getField(target, field);
  if (existing !== undefined) {
    return existing as LooseMessage;
  }
  const message = create(child);
  return setField(target, field, message) ?? (message as unknown as LooseMessage);
}
