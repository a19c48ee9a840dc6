// How a person comes to a token, and what nobody is asked for: read off the contract.
import type { DescMessage } from '@bufbuild/protobuf';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import t from 'tap';

const methods = [AuthService, PaymentsService, ProfileService, AdminService].flatMap((service) => service.methods);

/** Names of all fields of a message and of those inside it. */
function fieldNames(message: DescMessage, seen = new Set<DescMessage>()): string[] {
  if (seen.has(message)) return [];
  seen.add(message);
  return message.fields.flatMap((field) => [
    field.name,
    ...(field.message === undefined ? [] : fieldNames(field.message, seen)),
  ]);
}

const methodsWith = (side: 'input' | 'output', name: string) =>
  methods.filter((method) => fieldNames(method[side]).includes(name)).map((method) => method.name);

t.test(
  'S7.1, ASVS V6.1.3, V6.3.6: tokens come by these methods alone, and by none that a message is enough for',
  (t) => {
    t.same(methodsWith('output', 'access_token').sort(), [
      'FinishPasskeyLogin',
      'Login',
      'Refresh',
      'Register',
      'StepUp',
      'VerifyMfa',
    ]);
    for (const name of ['ResetPassword', 'VerifyEmail']) {
      const method = AuthService.methods.find((one) => one.name === name);
      t.ok(
        method?.input.fields.some((field) => field.name === 'token'),
        `${name} takes the token of a message`,
      );
      t.notOk(methodsWith('output', 'access_token').includes(name), `${name} opens no session`);
    }
    t.end();
  },
);

t.test('S7.1, ASVS V6.4.2, V6.4.6: nobody is asked a secret question, and nobody sets the password of another', (t) => {
  for (const method of methods) {
    for (const name of [...fieldNames(method.input), ...fieldNames(method.output)]) {
      t.notMatch(name, /hint|question|maiden/, `${method.name}: ${name}`);
    }
  }
  t.same(methodsWith('input', 'password').sort(), ['DisableMfa', 'Login', 'Register', 'StepUp', 'VerifyEmail']);
  t.same(methodsWith('input', 'new_password').sort(), ['ChangePassword', 'ResetPassword']);
  t.end();
});
