import type { DescField, FileRegistry, JsonObject, JsonValue, Message } from '@bufbuild/protobuf';
import { getOption, hasOption, toJson } from '@bufbuild/protobuf';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has it. */
export type JsonSchema = { [keyword: string]: JsonValue };

/** Keywords for the rules of a field, and whether a request must hold the field. */
export interface FieldLimits {
  readonly keywords: JsonSchema;
  readonly isRequired: boolean;
}

export type LimitsOf = (field: DescField) => FieldLimits;

const noLimits: FieldLimits = { keywords: {}, isRequired: false };

/**
 * Reads buf.validate's rules when the descriptors hold them. The rules are read as JSON, by reflection, so that this
 * package needs none of protovalidate's code.
 */
export function createLimits(registry: FileRegistry): LimitsOf {
  const extension = registry.getExtension('buf.validate.field');
  const rulesDesc = extension?.message;
  if (extension === undefined || rulesDesc === undefined) {
    return () => noLimits;
  }
  return (field) => {
    if (!hasOption(field, extension)) {
      return noLimits;
    }
    const rules = toJson(rulesDesc, getOption(field, extension) as Message) as JsonObject;
    const keywords = keywordsFromRules(rules, field);
    return { keywords, isRequired: rules.required === true || isNeverEmpty(field, keywords) };
  };
}

/** A string with a least length and no presence can't be left out: absent, it is empty. */
function isNeverEmpty(field: DescField, keywords: JsonSchema): boolean {
  const hasPresence = field.oneof !== undefined || field.proto.proto3Optional;
  if (hasPresence) {
    return false;
  }
  return Number(keywords.minLength ?? 0) > 0 || Number(keywords.minItems ?? 0) > 0;
}

function keywordsFromRules(rules: JsonObject, field: DescField): JsonSchema {
  const [kind, own] = Object.entries(rules).find(([name, value]) => name !== 'required' && isObject(value)) ?? [];
  if (kind === undefined || !isObject(own)) {
    return {};
  }
  switch (kind) {
    case 'string':
      return stringKeywords(own);
    case 'bytes':
      return bytesKeywords(own);
    case 'enum':
      return enumKeywords(own, field);
    case 'repeated':
      return repeatedKeywords(own, field);
    case 'map':
      return mapKeywords(own, field);
    case 'bool':
      return compact({ const: own.const });
    case 'any':
    case 'duration':
    case 'timestamp':
    case 'fieldMask':
      return {};
    default:
      return numberKeywords(own);
  }
}

const formats: [rule: string, format: string][] = [
  ['email', 'email'],
  ['hostname', 'hostname'],
  ['ipv4', 'ipv4'],
  ['ipv6', 'ipv6'],
  ['uri', 'uri'],
  ['uriRef', 'uri-reference'],
  ['uuid', 'uuid'],
];

function stringKeywords(rules: JsonObject): JsonSchema {
  return compact({
    minLength: numberFrom(rules.len ?? rules.minLen),
    // A character is at least one byte, so a bound on bytes bounds characters too.
    maxLength: numberFrom(rules.len ?? rules.maxLen ?? rules.lenBytes ?? rules.maxBytes),
    pattern: rules.pattern ?? patternFromAffixes(rules),
    format: formats.find(([rule]) => rules[rule] === true)?.[1],
    const: rules.const,
    enum: rules.in,
  });
}

function patternFromAffixes(rules: JsonObject): string | undefined {
  const quoted = (text: JsonValue | undefined) =>
    typeof text === 'string' ? text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : undefined;
  const prefix = quoted(rules.prefix);
  const suffix = quoted(rules.suffix);
  if (prefix === undefined && suffix === undefined) {
    return undefined;
  }
  return `${prefix === undefined ? '' : `^${prefix}`}${suffix === undefined ? '' : `.*${suffix}$`}`;
}

/** Lengths are of the bytes; the JSON holds base64, four characters for three bytes. */
function bytesKeywords(rules: JsonObject): JsonSchema {
  const max = numberFrom(rules.len ?? rules.maxLen);
  return compact({ maxLength: max === undefined ? undefined : Math.ceil(max / 3) * 4 });
}

function enumKeywords(rules: JsonObject, field: DescField): JsonSchema {
  const names = (numbers: JsonValue | undefined): string[] | undefined =>
    Array.isArray(numbers)
      ? numbers.map((number) => field.enum?.value[Number(number)]?.name ?? String(number))
      : undefined;
  const excluded = new Set(names(rules.notIn) ?? []);
  const all = excluded.size > 0 ? field.enum?.values.map((value) => value.name) : undefined;
  return compact({ enum: names(rules.in) ?? all?.filter((name) => !excluded.has(name)) });
}

function repeatedKeywords(rules: JsonObject, field: DescField): JsonSchema {
  return compact({
    minItems: numberFrom(rules.minItems),
    maxItems: numberFrom(rules.maxItems),
    uniqueItems: rules.unique,
    items: isObject(rules.items) ? keywordsFromRules(rules.items, field) : undefined,
  });
}

function mapKeywords(rules: JsonObject, field: DescField): JsonSchema {
  return compact({
    minProperties: numberFrom(rules.minPairs),
    maxProperties: numberFrom(rules.maxPairs),
    propertyNames: isObject(rules.keys) ? keywordsFromRules(rules.keys, field) : undefined,
    additionalProperties: isObject(rules.values) ? keywordsFromRules(rules.values, field) : undefined,
  });
}

function numberKeywords(rules: JsonObject): JsonSchema {
  return compact({
    minimum: numberFrom(rules.gte),
    exclusiveMinimum: numberFrom(rules.gt),
    maximum: numberFrom(rules.lte),
    exclusiveMaximum: numberFrom(rules.lt),
    const: rules.const,
    enum: rules.in,
  });
}

function numberFrom(value: JsonValue | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function compact(keywords: { [keyword: string]: JsonValue | undefined }): JsonSchema {
  const kept: JsonSchema = {};
  for (const [keyword, value] of Object.entries(keywords)) {
    const isEmpty = value === undefined || (isObject(value) && Object.keys(value).length === 0);
    if (!isEmpty) {
      kept[keyword] = value;
    }
  }
  return kept;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
