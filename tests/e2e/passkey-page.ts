// The part of a client that only a browser can play: a page of the edge's origin that asks the authenticator.
import type { Browser, CDPSession, Page } from 'playwright-core';
import type { Answer } from './identity-protocols.ts';

const html = `<!doctype html><title>Passkeys</title><script>
  const send = async (path, body, token) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: 'Bearer ' + token }) };
    const response = await fetch('/api/v1/auth' + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const register = async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
    return JSON.stringify(await navigator.credentials.create({ publicKey }));
  };
  const answer = async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
    return JSON.stringify(await navigator.credentials.get({ publicKey }));
  };
</script>`;

export interface PasskeyPage {
  /** POST to a route of auth. */
  send(path: string, body: Record<string, unknown>, token?: string): Promise<Answer>;
  /** RegistrationResponseJSON for the options. */
  register(optionsJson: string): Promise<string>;
  /** AuthenticationResponseJSON for the options. */
  answer(optionsJson: string): Promise<string>;
}

/** Opens the page at an origin, with a virtual authenticator built in as a laptop's (WebAuthn Level 3, section 11). */
export async function openPasskeyPage(browser: Browser, origin: string): Promise<PasskeyPage> {
  const page = await browser.newPage();
  const url = `${origin}/passkey-test`;
  await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(url);
  await addAuthenticator(await page.context().newCDPSession(page));
  return {
    send: (path, body, token) => run<Answer>(page, 'send', path, body, token),
    register: (optionsJson) => run<string>(page, 'register', optionsJson),
    answer: (optionsJson) => run<string>(page, 'answer', optionsJson),
  };
}

export async function addAuthenticator(session: CDPSession): Promise<void> {
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

function run<Result>(page: Page, name: string, ...parameters: unknown[]): Promise<Result> {
  const list = parameters.filter((parameter) => parameter !== undefined).map((parameter) => JSON.stringify(parameter));
  return page.evaluate<Result>(`${name}(${list.join(', ')})`);
}
