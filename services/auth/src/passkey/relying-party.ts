import type { Deps } from '../deps.ts';
import type { RelyingParty } from './passkey.ts';

export function relyingPartyOf({ config }: Pick<Deps, 'config'>): RelyingParty {
  return { id: config.WEBAUTHN_RP_ID, origins: config.WEBAUTHN_ORIGINS, name: config.MFA_ISSUER };
}
