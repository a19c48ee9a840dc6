import { createPublicKey, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { ServiceIdentity } from '@strongroom/platform/identity';
import { createRpcServer, type RpcRoute } from '@strongroom/platform/rpc';
import { createLogger } from '@strongroom/platform/telemetry';
import type { TestTokens } from '@strongroom/testkit';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: keyof typeof Role;
}

export interface AuthUpstream {
  readonly url: string;
  addPerson(person?: Partial<Person>): Person;
  deactivate(id: string): void;
  /** Calls that it answered, by method. */
  readonly counts: Map<string, number>;
  close(): Promise<void>;
}

/** The part of auth that payments asks, behind the same server, certificates and policy as the real one. */
export async function startAuthUpstream(identity: ServiceIdentity, tokens: TestTokens): Promise<AuthUpstream> {
  const people = new Map<string, Person & { isActive: boolean }>();
  const counts = new Map<string, number>();
  const count = (name: string) => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const userOf = ({ id, email, name, isActive }: Person & { isActive: boolean }) => ({
    id,
    email,
    name,
    status: isActive ? UserStatus.ACTIVE : UserStatus.SUSPENDED,
  });
  const implementation: RpcRoute<typeof AuthService>['implementation'] = {
    async getUsers({ ids }) {
      count('getUsers');
      return { users: ids.flatMap((id) => people.get(id) ?? []).map(userOf) };
    },
    async findUserByEmail({ email }) {
      count('findUserByEmail');
      const found = [...people.values()].find((person) => person.email === email && person.isActive);
      return found === undefined ? {} : { user: userOf(found) };
    },
    async checkRevocation() {
      count('checkRevocation');
      return { revoked: false };
    },
  };
  const app = await createRpcServer({
    name: 'auth',
    identity,
    logger: createLogger({ name: 'auth', level: 'silent' }),
    routes: [{ service: AuthService, implementation }],
  });
  const key = await tokens.keys.find('test-key');
  const jwk = createPublicKey(key?.material ?? '').export({ format: 'jwk' });
  app.get('/.well-known/jwks.json', async () => ({ keys: [{ ...jwk, kid: 'test-key', use: 'sig', alg: 'EdDSA' }] }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `https://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    counts,
    addPerson(given = {}) {
      const id = given.id ?? randomUUID();
      const person = { id, email: `${id}@example.com`, name: 'Ada Example', role: 'CUSTOMER' as const, ...given };
      people.set(id, { ...person, isActive: true });
      return person;
    },
    deactivate(id) {
      const person = people.get(id);
      if (person !== undefined) people.set(id, { ...person, isActive: false });
    },
    close: () => app.close(),
  };
}
