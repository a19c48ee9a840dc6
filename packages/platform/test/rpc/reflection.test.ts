import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  type ServerReflectionRequest,
  ServerReflection as V1,
} from '@strongroom/gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as V1Alpha } from '@strongroom/gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import t from 'tap';
import { startServer } from './fixture.ts';

const server = await startServer();
t.teardown(() => server.close());
const transport = createGrpcTransport({ baseUrl: server.url });

type Question = ServerReflectionRequest['messageRequest'];

async function ask(version: typeof V1 | typeof V1Alpha, messageRequest: Question) {
  const client = createClient(version as typeof V1, transport);
  async function* questions() {
    yield { messageRequest: messageRequest as { case: 'listServices'; value: string } };
  }
  for await (const { messageResponse } of client.serverReflectionInfo(questions())) return messageResponse;
  return undefined;
}

for (const version of [V1, V1Alpha]) {
  t.test(
    `B-reflect: ${version.typeName} lists what can be called, and of each service what people may call`,
    async (t) => {
      const listed = await ask(version, { case: 'listServices', value: '' });
      t.match(listed, { case: 'listServicesResponse' });
      const names = listed?.case === 'listServicesResponse' ? listed.value.service.map(({ name }) => name) : [];
      for (const name of [AuthService.typeName, 'grpc.health.v1.Health', V1.typeName, V1Alpha.typeName]) {
        t.ok(names.includes(name), name);
        const found = await ask(version, { case: 'fileContainingSymbol', value: name });
        t.equal(found?.case, 'fileDescriptorResponse', name);
      }
      const described = await ask(version, { case: 'fileContainingSymbol', value: AuthService.typeName });
      const files = described?.case === 'fileDescriptorResponse' ? described.value.fileDescriptorProto : [];
      const protos = files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      const shown = protos
        .flatMap(({ service }) => service)
        .find(({ name }) => name === AuthService.name)
        ?.method.map(({ name }) => name);
      const imports = protos.flatMap(({ dependency }) => dependency);
      const given = protos.map(({ name }) => name);
      t.same(
        imports.filter((name) => !given.includes(name)),
        [],
        'with all that it imports',
      );
      const callable = AuthService.methods.filter(
        (method) => methodPolicy(method).access?.audience !== Audience.INTERNAL,
      );
      t.same(
        shown,
        callable.map(({ name }) => name),
      );
      t.ok(callable.length < AuthService.methods.length);
      const unknown = await ask(version, { case: 'fileContainingSymbol', value: 'strongroom.auth.v1.Nothing' });
      t.equal(unknown?.case, 'errorResponse');
    },
  );
}
