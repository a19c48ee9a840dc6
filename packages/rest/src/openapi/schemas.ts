import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import type { Comments } from './comments.ts';
import { isObject, type JsonSchema, type LimitsOf } from './limits.ts';

/** Schemas of messages and enums, collected as they are referred to. */
export interface Schemas {
  /** A reference to the message's schema, or the schema itself where its JSON is special. */
  ofMessage(desc: DescMessage): JsonSchema;
  ofField(field: DescField): JsonSchema;
  /** The message's schema in place, without the fields named. */
  inline(desc: DescMessage, without: ReadonlySet<string>): JsonSchema;
  isRequired(field: DescField): boolean;
  /** Everything referred to so far, by name. */
  readonly components: ReadonlyMap<string, JsonSchema>;
}

export function createSchemas(comments: Comments, limitsOf: LimitsOf): Schemas {
  const components = new Map<string, JsonSchema>();
  const refer = (name: string, build: () => JsonSchema): JsonSchema => {
    if (!components.has(name)) {
      // Held before it is built, for messages that hold themselves.
      components.set(name, {});
      components.set(name, build());
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const describe = (fullName: string): JsonSchema => {
    const text = comments.get(fullName);
    return text === undefined ? {} : { description: text };
  };
  const ofEnum = (desc: DescEnum): JsonSchema =>
    refer(desc.typeName, () => ({
      ...describeEnum(desc, comments),
      type: 'string',
      enum: desc.values.map((v) => v.name),
    }));
  const ofMessage = (desc: DescMessage): JsonSchema =>
    schemaOfWellKnown(desc) ?? refer(desc.typeName, () => inline(desc, new Set()));
  const ofElement = (field: DescField): JsonSchema => {
    if (field.message !== undefined) {
      return ofMessage(field.message);
    }
    return field.enum !== undefined ? ofEnum(field.enum) : schemaOfScalar(field.scalar ?? ScalarType.STRING);
  };
  const ofField = (field: DescField): JsonSchema => {
    const { keywords } = limitsOf(field);
    const element = ofElement(field);
    const described = { ...describe(`${field.parent.typeName}.${field.name}`), ...deprecation(field) };
    switch (field.fieldKind) {
      case 'list':
        return { ...described, type: 'array', ...keywords, items: merge(element, keywords.items as JsonSchema) };
      case 'map':
        return {
          ...described,
          type: 'object',
          ...keywords,
          additionalProperties: merge(element, keywords.additionalProperties as JsonSchema),
        };
      default:
        return { ...merge(element, keywords), ...described };
    }
  };
  const inline = (desc: DescMessage, without: ReadonlySet<string>): JsonSchema => {
    const fields = desc.fields.filter((field) => !without.has(field.name));
    const required = fields.filter((field) => limitsOf(field).isRequired).map((field) => field.jsonName);
    return {
      ...describe(desc.typeName),
      type: 'object',
      properties: Object.fromEntries(fields.map((field) => [field.jsonName, ofField(field)])),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
    };
  };
  return { ofMessage, ofField, inline, components, isRequired: (field) => limitsOf(field).isRequired };
}

/** A reference keeps its siblings in OpenAPI 3.1, but tools are happier with the limits of an enum spelled out. */
function merge(element: JsonSchema, keywords: JsonSchema | undefined): JsonSchema {
  return keywords === undefined || !isObject(keywords) ? element : { ...element, ...keywords };
}

function deprecation(field: DescField): JsonSchema {
  return field.deprecated ? { deprecated: true } : {};
}

function describeEnum(desc: DescEnum, comments: Comments): JsonSchema {
  const lines = desc.values
    .map((value) => [value.name, comments.get(`${desc.typeName}.${value.name}`)])
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `- \`${name}\`: ${text?.replaceAll('\n', ' ')}`);
  const own = comments.get(desc.typeName);
  const text = [...(own === undefined ? [] : [own]), ...(lines.length > 0 ? [lines.join('\n')] : [])].join('\n\n');
  return text === '' ? {} : { description: text };
}

/** proto JSON: integers of 64 bits are strings, and taken as numbers too. */
export function schemaOfScalar(scalar: ScalarType): JsonSchema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' };
    case ScalarType.DOUBLE:
      return { type: 'number', format: 'double' };
    case ScalarType.FLOAT:
      return { type: 'number', format: 'float' };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', format: 'uint32', minimum: 0, maximum: 4294967295 };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: ['string', 'integer'], format: 'uint64', pattern: '^[0-9]+$' };
    default:
      return { type: ['string', 'integer'], format: 'int64', pattern: '^-?[0-9]+$' };
  }
}

/** Schemas of the types whose JSON is not their fields. */
function schemaOfWellKnown(desc: DescMessage): JsonSchema | undefined {
  if (isWrapperDesc(desc)) {
    const schema = schemaOfScalar(desc.fields[0]?.scalar ?? ScalarType.STRING);
    return { ...schema, type: [schema.type ?? 'string', 'null'].flat() };
  }
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return { type: 'string', format: 'date-time' };
    case 'google.protobuf.Duration':
      return { type: 'string', pattern: '^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$' };
    case 'google.protobuf.FieldMask':
      return { type: 'string', description: 'Field paths in lowerCamelCase, with commas between.' };
    case 'google.protobuf.Empty':
      return { type: 'object', additionalProperties: false };
    case 'google.protobuf.Struct':
      return { type: 'object', additionalProperties: true };
    case 'google.protobuf.ListValue':
      return { type: 'array', items: {} };
    case 'google.protobuf.Value':
      return {};
    case 'google.protobuf.Any':
      return { type: 'object', properties: { '@type': { type: 'string' } }, additionalProperties: true };
    default:
      return undefined;
  }
}
