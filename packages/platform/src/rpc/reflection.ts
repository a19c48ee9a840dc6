import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  createFileRegistry,
  type DescFile,
  type FileRegistry,
  fromBinary,
  getOption,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
  ServerReflection as ServerReflectionV1,
} from '@strongroom/gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionV1Alpha } from '@strongroom/gen/grpc/reflection/v1alpha/reflection_pb.ts';

import { Audience, policy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse'];
type Question = ServerReflectionRequest['messageRequest'];

/**
 * gRPC server reflection (B-reflect): grpcurl and buf curl can list, describe and call without a .proto at hand. It shows what
 * its readers may call: methods for services alone are left out.
 */
export async function createReflection(serviceNames: readonly string[]): Promise<(router: ConnectRouter) => void> {
  const path = fileURLToPath(import.meta.resolve('@strongroom/gen/descriptors.binpb'));
  const registry = withoutInternalMethods(fromBinary(FileDescriptorSetSchema, await readFile(path)));
  const names = [...serviceNames, ServerReflectionV1.typeName, ServerReflectionV1Alpha.typeName];
  async function* serverReflectionInfo(requests: AsyncIterable<ServerReflectionRequest>) {
    for await (const originalRequest of requests) {
      yield {
        validHost: originalRequest.host,
        originalRequest,
        messageResponse: answer(originalRequest.messageRequest),
      };
    }
  }
  const answer = (question: Question): Answer => answerQuestion(registry, names, question);
  return (router) => {
    router.service(ServerReflectionV1, { serverReflectionInfo });
    // The older version is the same on the wire; its messages only have another package.
    router.service(ServerReflectionV1Alpha, { serverReflectionInfo: serverReflectionInfo as never });
  };
}

function withoutInternalMethods(contract: FileDescriptorSet): FileRegistry {
  const whole = createFileRegistry(contract);
  for (const { package: area, service: services } of contract.file) {
    for (const service of services) {
      const methods = whole.getService(`${area}.${service.name}`)?.methods ?? [];
      const internal = methods.filter((method) => getOption(method, policy).access?.audience === Audience.INTERNAL);
      service.method = service.method.filter(({ name }) => internal.every((method) => method.name !== name));
    }
  }
  return createFileRegistry(contract);
}

function answerQuestion(registry: FileRegistry, serviceNames: readonly string[], question: Question): Answer {
  switch (question.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: serviceNames.map((name) => ({ name })) } };
    case 'fileByFilename':
      return filesAnswer(registry.getFile(question.value.replace(/\.proto$/, '')));
    case 'fileContainingSymbol':
      return filesAnswer(fileOfSymbol(registry, question.value));
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      const message = registry.getMessage(containingType);
      return filesAnswer(message && registry.getExtensionFor(message, extensionNumber)?.file);
    }
    case 'allExtensionNumbersOfType':
      return extensionNumbersAnswer(registry, question.value);
    default:
      return { case: 'errorResponse', value: { errorCode: Code.InvalidArgument, errorMessage: 'Nothing was asked.' } };
  }
}

const NOT_FOUND: Answer = {
  case: 'errorResponse',
  value: { errorCode: Code.NotFound, errorMessage: 'There is no such symbol.' },
};

function fileOfSymbol(registry: FileRegistry, symbol: string): DescFile | undefined {
  const found = registry.get(symbol);
  if (found !== undefined) return found.file;
  // A method, field or enum value stands in its parent.
  const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf('.')));
  return parent === '' ? undefined : registry.get(parent)?.file;
}

/** The file with everything that it imports, so that a client needs one question. */
function filesAnswer(file: DescFile | undefined): Answer {
  if (file === undefined) return NOT_FOUND;
  const files = new Map<string, DescFile>();
  const collect = (one: DescFile): void => {
    if (files.has(one.name)) return;
    files.set(one.name, one);
    for (const dependency of one.dependencies) collect(dependency);
  };
  collect(file);
  const fileDescriptorProto = [...files.values()].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function extensionNumbersAnswer(registry: FileRegistry, typeName: string): Answer {
  if (registry.getMessage(typeName) === undefined) return NOT_FOUND;
  const extensionNumber: number[] = [];
  for (const type of registry) {
    if (type.kind === 'extension' && type.extendee.typeName === typeName) extensionNumber.push(type.number);
  }
  return { case: 'allExtensionNumbersResponse', value: { baseTypeName: typeName, extensionNumber } };
}
