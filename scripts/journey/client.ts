const requestTimeoutMs = 15_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it came, to be compared byte by byte. */
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an outside client, which knows no types of ours
  readonly body: any;
}

export interface RequestOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One person at one device, speaking REST to the gateway as anyone would. */
export interface Person {
  readonly name: string;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  post(path: string, options?: RequestOptions): Promise<Answer>;
}

/** Each person has an address of his own in the rate limits, because each sends another User-Agent. */
export function createPerson(name: string, gatewayUrl: string): Person {
  const call = async (method: string, path: string, options: RequestOptions = {}): Promise<Answer> => {
    const { token, body, headers } = options;
    const response = await fetch(`${gatewayUrl}/api/v1${path}`, {
      method,
      signal: AbortSignal.timeout(requestTimeoutMs),
      headers: {
        'user-agent': `strongroom-journey/${name}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseJson(text) };
  };
  return {
    name,
    get: (path, options) => call('GET', path, options),
    post: (path, options) => call('POST', path, options),
  };
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined; // The step that needs a body says what came instead.
  }
}
