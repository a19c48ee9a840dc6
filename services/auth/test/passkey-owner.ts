import { type AuthFixture, registerPerson } from './auth-fixture.ts';
import { createSoftwareAuthenticator } from './software-authenticator.ts';

export type Person = Awaited<ReturnType<typeof registerPerson>>;

/** A person with one passkey, by default freshly registered. */
export async function registerPasskey(fixture: AuthFixture, person?: Person) {
  const { auth, by } = fixture;
  const owner = person ?? (await registerPerson(fixture));
  const mine = by({ token: owner.tokens.accessToken });
  const authenticator = createSoftwareAuthenticator();
  const { optionsJson } = await auth.startPasskeyRegistration({}, mine);
  const response = { responseJson: authenticator.register(optionsJson), name: 'Laptop' };
  const { passkey, backupCodes } = await auth.finishPasskeyRegistration(response, mine);
  // The token that registered it was issued before there was a factor; the next one says that there is.
  const next = await auth.refresh({ refreshToken: owner.tokens.refreshToken }, by());
  return { ...owner, mine: by({ token: next.accessToken }), authenticator, passkey, backupCodes };
}
