import { type DescField, type DescMessage, getOption, hasOption, type Message, ScalarType } from '@bufbuild/protobuf';
import {
  type FieldPolicy,
  field as fieldOption,
  fields as fieldsOption,
} from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

/** What is done with one text of a field; the answer takes its place. */
export type TextVisitor = (text: string) => string;

/** Chooses the visitor of a field once, when the walk is compiled; undefined leaves the field alone. */
export type TextVisitorOf = (field: DescField) => TextVisitor | undefined;

export type TextWalk = (message: Message) => void;

type Slots = Record<string, unknown>;
type Step = (slots: Slots) => void;

const fieldPolicies = new WeakMap<DescField, FieldPolicy | undefined>();

/** The policy of a field: its own as a whole, else the message's. Read from the descriptor once. */
export function fieldPolicy(field: DescField): FieldPolicy | undefined {
  if (!fieldPolicies.has(field)) fieldPolicies.set(field, readFieldPolicy(field));
  return fieldPolicies.get(field);
}

function readFieldPolicy(field: DescField): FieldPolicy | undefined {
  if (hasOption(field, fieldOption)) return getOption(field, fieldOption);
  return hasOption(field.parent, fieldsOption) ? getOption(field.parent, fieldsOption) : undefined;
}

/**
 * Compiles a walk over every text of a message: nested messages, lists, map keys and values. undefined if the type holds
 * no text that the visitor wants, so that such messages cost nothing.
 */
export function compileTextWalk(desc: DescMessage, visitorOf: TextVisitorOf): TextWalk | undefined {
  const walks = new Map<string, Step[]>();
  const compile = (type: DescMessage): Step[] => {
    const known = walks.get(type.typeName);
    if (known !== undefined) return known;
    const steps: Step[] = [];
    walks.set(type.typeName, steps); // before the fields, for types that hold themselves
    for (const field of type.fields) {
      const step = compileField(field, visitorOf, compile);
      if (step !== undefined) steps.push(step);
    }
    return steps;
  };
  const steps = compile(desc);
  return steps.length === 0 ? undefined : (message) => run(steps, message as unknown as Slots);
}

function run(steps: readonly Step[], slots: Slots): void {
  for (const step of steps) step(slots);
}

function compileField(
  field: DescField,
  visitorOf: TextVisitorOf,
  compile: (type: DescMessage) => Step[],
): Step | undefined {
  const change = compileValue(field, visitorOf, compile);
  if (change === undefined) return undefined;
  const { localName: name } = field;
  if (field.fieldKind === 'list') return (slots) => changeList(slots[name] as unknown[], change);
  if (field.fieldKind === 'map') {
    const changeKey = field.mapKey === ScalarType.STRING ? visitorOf(field) : undefined;
    return (slots) => changeMap(slots[name] as Slots, change, changeKey);
  }
  if (field.oneof !== undefined) {
    const { localName: group } = field.oneof;
    return (slots) => {
      const chosen = slots[group] as { case: string | undefined; value?: unknown };
      if (chosen.case === name) chosen.value = change(chosen.value);
    };
  }
  return (slots) => {
    const value = slots[name];
    if (value !== undefined) slots[name] = change(value);
  };
}

function compileValue(
  field: DescField,
  visitorOf: TextVisitorOf,
  compile: (type: DescMessage) => Step[],
): ((value: unknown) => unknown) | undefined {
  if (field.message !== undefined) {
    const steps = compile(field.message);
    return (value) => {
      run(steps, value as Slots);
      return value;
    };
  }
  const isText = field.scalar === ScalarType.STRING;
  const isTextKey = field.fieldKind === 'map' && field.mapKey === ScalarType.STRING;
  if (!isText && !isTextKey) return undefined;
  const visitor = visitorOf(field);
  if (visitor === undefined) return undefined;
  return isText ? (value) => visitor(value as string) : (value) => value;
}

function changeList(list: unknown[], change: (value: unknown) => unknown): void {
  for (let index = 0; index < list.length; index++) list[index] = change(list[index]);
}

function changeMap(map: Slots, change: (value: unknown) => unknown, changeKey: TextVisitor | undefined): void {
  for (const [key, value] of Object.entries(map)) {
    const newKey = changeKey === undefined ? key : changeKey(key);
    if (newKey !== key) delete map[key];
    map[newKey] = change(value);
  }
}
