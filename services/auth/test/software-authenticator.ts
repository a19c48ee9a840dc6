// An authenticator in software (WebAuthn Level 3, sections 6.1 and 6.5): one discoverable ES256 credential, self-made
// answers in the JSON that browsers send. Each part can be told wrong, for what must be refused.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { cose, isoCBOR } from '@simplewebauthn/server/helpers';

/** What a test may have the authenticator or the browser say in place of the truth. */
export interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly isUserVerified?: boolean;
  readonly counter?: number;
  readonly credentialId?: Buffer;
  /** Changes the signature. */
  readonly isForged?: boolean;
}

export interface SoftwareAuthenticator {
  readonly credentialId: Buffer;
  /** RegistrationResponseJSON for the options that the server sent. */
  register(optionsJson: string, lies?: Lies): string;
  /** AuthenticationResponseJSON; the counter rises by one with each. */
  answer(optionsJson: string, lies?: Lies): string;
}

const userPresent = 0x01;
const userVerified = 0x04;
const attestedDataIncluded = 0x40;
const origin = 'http://localhost:3000';

interface Options {
  readonly challenge: string;
  readonly rpId?: string;
  readonly rp?: { readonly id: string };
}

export function createSoftwareAuthenticator(): SoftwareAuthenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const credentialId = randomBytes(32);
  let counter = 0;

  function authenticatorData(options: Options, lies: Lies, attested?: Buffer): Buffer {
    const flags =
      userPresent |
      (lies.isUserVerified === false ? 0 : userVerified) |
      (attested === undefined ? 0 : attestedDataIncluded);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lies.counter ?? counter);
    const rpIdHash = sha256(lies.rpId ?? options.rpId ?? options.rp?.id ?? '');
    return Buffer.concat([rpIdHash, Buffer.from([flags]), count, attested ?? Buffer.alloc(0)]);
  }

  function attestedCredential(): Buffer {
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const key = new Map<number, number | Uint8Array>([
      [cose.COSEKEYS.kty, cose.COSEKTY.EC2],
      [cose.COSEKEYS.alg, cose.COSEALG.ES256],
      [cose.COSEKEYS.crv, cose.COSECRV.P256],
      [cose.COSEKEYS.x, bytesOf(x)],
      [cose.COSEKEYS.y, bytesOf(y)],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credentialId.length);
    return Buffer.concat([Buffer.alloc(16), length, credentialId, isoCBOR.encode(key)]);
  }

  const id = credentialId.toString('base64url');
  return {
    credentialId,
    register(optionsJson, lies = {}) {
      const options = JSON.parse(optionsJson) as Options;
      const clientData = clientDataOf(options, 'webauthn.create', lies);
      const authData = Uint8Array.from(authenticatorData(options, lies, attestedCredential()));
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]);
      const attestationObject = Buffer.from(isoCBOR.encode(attestation as never)).toString('base64url');
      const response = {
        clientDataJSON: clientData.toString('base64url'),
        attestationObject,
        transports: ['internal'],
      };
      return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response });
    },
    answer(optionsJson, lies = {}) {
      counter += 1;
      const options = JSON.parse(optionsJson) as Options;
      const clientData = clientDataOf(options, 'webauthn.get', lies);
      const authData = authenticatorData(options, lies);
      const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), privateKey);
      if (lies.isForged) signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
      const named = (lies.credentialId ?? credentialId).toString('base64url');
      const response = {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
      };
      return JSON.stringify({ id: named, rawId: named, type: 'public-key', clientExtensionResults: {}, response });
    },
  };
}

function clientDataOf(options: Options, type: string, lies: Lies): Buffer {
  const said = {
    type: lies.type ?? type,
    challenge: lies.challenge ?? options.challenge,
    origin: lies.origin ?? origin,
    crossOrigin: false,
  };
  return Buffer.from(JSON.stringify(said));
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
