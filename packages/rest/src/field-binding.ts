import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import type { LooseMessage } from './local-value.ts';
import { localFromMessage, openChild, setField } from './local-value.ts';
import { ScalarMismatch, type TextToScalar, textToFieldValue } from './scalar.ts';
import { textToWellKnown } from './well-known.ts';

/** A field that text (of a path or a query) can be written to. */
export interface FieldBinding {
  /** The message fields on the way, outermost first. */
  readonly parents: readonly DescField[];
  readonly field: DescField;
  /** Names of the .proto, joined by dots. */
  readonly protoPath: string;
  /** lowerCamelCase names, joined by dots: how errors and documents call it. */
  readonly jsonPath: string;
  /** Gives the field's value as protobuf-es keeps it, or a ScalarMismatch. */
  readonly fromText: TextToScalar;
}

/** Why a name leads to no binding: there is no such field, or text can't fill it. */
export type BindingFault = 'unknown' | 'not_bindable';

const fieldsByName = new WeakMap<DescMessage, Map<string, DescField>>();

/** The field of that name, as the .proto spells it or in lowerCamelCase. */
export function findField(desc: DescMessage, name: string): DescField | undefined {
  let fields = fieldsByName.get(desc);
  if (fields === undefined) {
    fields = new Map();
    for (const field of desc.fields) {
      fields.set(field.jsonName, field);
    }
    for (const field of desc.fields) {
      fields.set(field.name, field);
    }
    fieldsByName.set(desc, fields);
  }
  return fields.get(name);
}

/** Deeper names than this bind nothing: recursive messages would else make names of any length valid. */
const bindingDepthMax = 8;

/** Resolves a field path such as `filter.amount.min`. */
export function resolveBinding(desc: DescMessage, names: readonly string[]): FieldBinding | BindingFault {
  if (names.length > bindingDepthMax) {
    return 'unknown';
  }
  const parents: DescField[] = [];
  let current = desc;
  for (const name of names.slice(0, -1)) {
    const parent = findField(current, name);
    if (parent === undefined) {
      return 'unknown';
    }
    if (parent.fieldKind !== 'message' || textToWellKnown(parent.message) || hasOwnJson(parent.message)) {
      return 'not_bindable';
    }
    parents.push(parent);
    current = parent.message;
  }
  const field = findField(current, names[names.length - 1] as string);
  if (field === undefined) {
    return 'unknown';
  }
  const fromText = textToBoundValue(field);
  if (fromText === undefined) {
    return 'not_bindable';
  }
  const chain = [...parents, field];
  return {
    parents,
    field,
    fromText,
    protoPath: chain.map((step) => step.name).join('.'),
    jsonPath: chain.map((step) => step.jsonName).join('.'),
  };
}

/** Messages whose JSON is not their fields: no field of theirs is a parameter. */
export function hasOwnJson(desc: DescMessage): boolean {
  return ['Any', 'Struct', 'Value', 'ListValue'].some((name) => desc.typeName === `google.protobuf.${name}`);
}

function textToBoundValue(field: DescField): TextToScalar | undefined {
  if (field.fieldKind === 'map') {
    return undefined;
  }
  if (field.message === undefined) {
    return textToFieldValue(field);
  }
  const fromText = textToWellKnown(field.message);
  if (fromText === undefined) {
    return undefined;
  }
  const toLocal = localFromMessage(field);
  return (text) => {
    const message = fromText(text);
    return message instanceof ScalarMismatch ? message : toLocal(message as Message);
  };
}

/** The message that holds the bound field; a string names the oneof member in the way. */
export function openParents(message: LooseMessage, parents: readonly DescField[]): LooseMessage | string {
  let target = message;
  for (const parent of parents) {
    const child = openChild(target, parent);
    if (typeof child === 'string') {
      return child;
    }
    target = child;
  }
  return target;
}

/** Writes a value to a bound field; a string names the oneof member in the way. */
export function writeBinding(message: LooseMessage, binding: FieldBinding, value: unknown): string | undefined {
  const target = openParents(message, binding.parents);
  if (typeof target === 'string') {
    return target;
  }
  if (binding.field.fieldKind === 'list') {
    (target[binding.field.localName] as unknown[]).push(value);
    return undefined;
  }
  return setField(target, binding.field, value);
}
