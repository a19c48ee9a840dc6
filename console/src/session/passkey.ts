/** Passkeys need a host with a name: browsers refuse them on a bare address such as 127.0.0.1. */
export function canUsePasskeys(): boolean {
  const hasApi = typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
  return hasApi && !/^[\d.]+$|^\[/.test(location.hostname);
}

/** RegistrationResponseJSON for the options of the API. */
export async function createPasskey(optionsJson: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(optionsJson));
  return JSON.stringify(await navigator.credentials.create({ publicKey }));
}

/** AuthenticationResponseJSON for the options of the API. */
export async function answerWithPasskey(optionsJson: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(optionsJson));
  return JSON.stringify(await navigator.credentials.get({ publicKey }));
}
