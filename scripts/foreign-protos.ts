// Puts the foreign contracts that ours import into an ignored folder, from npm packages: no registry of protos is
// asked, so that generation works offline and the lock file pins them.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescFile,
  type DescMessage,
  ScalarType,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

const require = createRequire(import.meta.url);

/** Files copied as they are: npm package, folder of protos inside it, path there, path in ours. */
const copies = [
  { from: 'gax', path: 'google/api/annotations.proto' },
  { from: 'gax', path: 'google/api/http.proto' },
  { from: 'gax', path: 'google/api/httpbody.proto' },
  { from: 'gax', path: 'google/rpc/code.proto' },
  { from: 'gax', path: 'google/rpc/error_details.proto' },
  { from: 'gax', path: 'google/rpc/status.proto' },
  { from: 'reflection', path: 'grpc/reflection/v1/reflection.proto' },
  { from: 'reflection', path: 'grpc/reflection/v1alpha/reflection.proto' },
  { from: 'health', path: 'grpc/health/v1/health.proto' },
] as const;

/** Fills `folder` anew. */
export async function writeForeignProtos(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const roots = {
    // google-gax doesn't export its package.json: its main file stands in build/src, the protos in build/protos.
    gax: join(dirname(require.resolve('google-gax')), '..', 'protos'),
    reflection: join(dirname(require.resolve('@grpc/reflection/package.json')), 'build', 'proto'),
    health: join(dirname(require.resolve('grpc-health-check/package.json')), 'proto'),
  };
  for (const { from, path } of copies) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    const source = from === 'health' ? path.replace('grpc/', '') : path;
    await cp(join(roots[from], source), target);
  }
  const validate = join(folder, 'buf/validate/validate.proto');
  await mkdir(dirname(validate), { recursive: true });
  await writeFile(validate, printFile(file_buf_validate_validate));
}

/**
 * Prints a proto2 file from its descriptor: no npm package ships the text of validate.proto. Options of its own fields
 * (the CEL expressions behind the rules) are left out: the runtime reads them from the package's descriptor, and our
 * contract only names the rules.
 */
function printFile(file: DescFile): string {
  const lines = ['syntax = "proto2";', '', `package ${file.proto.package};`, ''];
  for (const dependency of file.dependencies) lines.push(`import "${dependency.name}.proto";`);
  for (const extension of file.extensions) lines.push('', ...printExtension(extension));
  for (const item of file.enums) lines.push('', ...printEnum(item, ''));
  for (const message of file.messages) lines.push('', ...printMessage(message, ''));
  return `${lines.join('\n')}\n`;
}

function printExtension(extension: DescExtension): string[] {
  return [`extend ${extension.extendee.typeName} {`, `  ${printField(extension)}`, '}'];
}

function printEnum(item: DescEnum, indent: string): string[] {
  const values = item.values.map((value) => `${indent}  ${value.name} = ${value.number};`);
  return [`${indent}enum ${item.name} {`, ...values, `${indent}}`];
}

function printMessage(message: DescMessage, indent: string): string[] {
  const inner = `${indent}  `;
  const lines = [`${indent}message ${message.name} {`];
  for (const range of message.proto.extensionRange) {
    const end = (range.end ?? 0) > 536_870_911 ? 'max' : `${(range.end ?? 0) - 1}`;
    lines.push(`${inner}extensions ${range.start} to ${end};`);
  }
  for (const field of message.fields) if (!field.oneof) lines.push(inner + printField(field));
  for (const oneof of message.oneofs) {
    lines.push(`${inner}oneof ${oneof.name} {`);
    for (const field of oneof.fields) lines.push(`${inner}  ${printField(field)}`);
    lines.push(`${inner}}`);
  }
  for (const item of message.nestedEnums) lines.push(...printEnum(item, inner));
  for (const nested of message.nestedMessages) lines.push(...printMessage(nested, inner));
  lines.push(`${indent}}`);
  return lines;
}

function printField(field: DescField | DescExtension): string {
  const declaration = `${fieldType(field)} ${field.name} = ${field.number};`;
  if (field.fieldKind === 'map') return declaration;
  if (field.fieldKind === 'list') return `repeated ${declaration}`;
  if (field.kind === 'field' && field.oneof) return declaration;
  return field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED
    ? `required ${declaration}`
    : `optional ${declaration}`;
}

function fieldType(field: DescField | DescExtension): string {
  if (field.fieldKind === 'map') {
    const value = field.message?.typeName ?? field.enum?.typeName ?? scalarName(field.scalar);
    return `map<${scalarName(field.mapKey)}, ${value}>`;
  }
  return field.message?.typeName ?? field.enum?.typeName ?? scalarName(field.scalar);
}

function scalarName(scalar: ScalarType | undefined): string {
  if (scalar === undefined) throw new Error('a field of validate.proto has no type');
  return ScalarType[scalar].toLowerCase();
}
