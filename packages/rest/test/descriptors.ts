import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The test's own contract, with comments; test/generate.ts writes it. */
export const descriptors = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(join(import.meta.dirname, 'gen', 'descriptors.binpb')),
);
export const registry = createFileRegistry(descriptors);

export function messageNamed(name: string): DescMessage {
  const desc = registry.getMessage(`example.v1.${name}`);
  if (desc === undefined) {
    throw new Error(`no message ${name}`);
  }
  return desc;
}

export function serviceNamed(name: string): DescService {
  const desc = registry.getService(`example.v1.${name}`);
  if (desc === undefined) {
    throw new Error(`no service ${name}`);
  }
  return desc;
}
