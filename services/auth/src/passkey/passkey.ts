import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { sha256 } from '@strongroom/platform/crypto';
import type { PasskeyRow } from './passkey-store.ts';

/** WebAuthn Level 3: enough for a person to find the key. */
export const passkeyTimeoutS = 300;
export const passkeysMax = 10;

export interface RelyingParty {
  readonly id: string;
  readonly origins: readonly string[];
  readonly name: string;
}

export interface PasskeyOptions {
  readonly challenge: string;
  readonly json: string;
}

export async function registrationOptions(
  party: RelyingParty,
  user: { readonly id: string; readonly email: string; readonly name: string },
  known: readonly PasskeyRow[],
): Promise<PasskeyOptions> {
  const options = await generateRegistrationOptions({
    rpID: party.id,
    rpName: party.name,
    // The id, not the address: authenticators show user handles to no one and keep them for ever.
    userID: Uint8Array.from(Buffer.from(user.id.replaceAll('-', ''), 'hex')),
    userName: user.email,
    userDisplayName: user.name,
    timeout: passkeyTimeoutS * 1000,
    attestationType: 'none',
    excludeCredentials: known.map(descriptorOf),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  });
  return { challenge: options.challenge, json: JSON.stringify(options) };
}

/** Without passkeys named, the authenticator offers its own: passwordless, and the same for any address. */
export async function authenticationOptions(
  party: RelyingParty,
  known: readonly PasskeyRow[],
): Promise<PasskeyOptions> {
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    timeout: passkeyTimeoutS * 1000,
    userVerification: 'required',
    allowCredentials: known.map(descriptorOf),
  });
  return { challenge: options.challenge, json: JSON.stringify(options) };
}

export interface NewCredential {
  readonly credentialId: Buffer;
  readonly publicKey: Buffer;
  readonly signCount: number;
  readonly transports: string[];
}

/** Undefined for an answer that isn't right, however it is wrong. */
export async function verifyRegistration(
  party: RelyingParty,
  challenge: string,
  responseJson: string,
): Promise<NewCredential | undefined> {
  const response = readJson<RegistrationResponseJSON>(responseJson);
  if (response === undefined) return undefined;
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: true,
    });
    if (!verified || registrationInfo === undefined) return undefined;
    const { credential } = registrationInfo;
    return {
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      signCount: credential.counter,
      transports: (credential.transports ?? []).map(String),
    };
  } catch {
    // The library throws for malformed and forged answers alike; the caller learns that it wasn't accepted.
    return undefined;
  }
}

/** Id of the credential that an answer names, before anything is verified. */
export function credentialIdOf(responseJson: string): Buffer | undefined {
  const id = readJson<AuthenticationResponseJSON>(responseJson)?.id;
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,1400}$/.test(id) ? Buffer.from(id, 'base64url') : undefined;
}

/** The new counter, or undefined for an answer that isn't right. */
export async function verifyAssertion(
  party: RelyingParty,
  passkey: PasskeyRow,
  challenge: string,
  responseJson: string,
): Promise<number | undefined> {
  const response = readJson<AuthenticationResponseJSON>(responseJson);
  if (response === undefined) return undefined;
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId.toString('base64url'),
        publicKey: Uint8Array.from(passkey.publicKey),
        counter: Number(passkey.signCount),
        transports: passkey.transports as AuthenticatorTransport[],
      },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  } catch {
    return undefined;
  }
}

export function challengeIdHash(id: string): Buffer {
  return sha256(`challenge\n${id}`);
}

function descriptorOf({ credentialId, transports }: PasskeyRow) {
  return { id: credentialId.toString('base64url'), transports: transports as AuthenticatorTransport[] };
}

function readJson<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** The challenge that an answer says it signed, before anything is verified. */
export function challengeOf(responseJson: string): string | undefined {
  const response = readJson<{ response?: { clientDataJSON?: unknown } }>(responseJson)?.response;
  if (typeof response?.clientDataJSON !== 'string') return undefined;
  const challenge = readJson<{ challenge?: unknown }>(
    Buffer.from(response.clientDataJSON, 'base64url').toString('utf8'),
  )?.challenge;
  return typeof challenge === 'string' ? challenge : undefined;
}
