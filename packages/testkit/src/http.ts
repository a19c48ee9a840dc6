const defaultTimeoutMs = 30_000;

export interface JsonAnswer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when the body is empty or isn't JSON. */
  readonly body: T;
  readonly text: string;
}

export interface JsonRequest {
  body?: unknown;
  headers?: Record<string, string>;
  token?: string;
  timeoutMs?: number;
}

export interface JsonClient {
  request<T = unknown>(method: string, path: string, request?: JsonRequest): Promise<JsonAnswer<T>>;
  get<T = unknown>(path: string, request?: JsonRequest): Promise<JsonAnswer<T>>;
  post<T = unknown>(path: string, body?: unknown, request?: JsonRequest): Promise<JsonAnswer<T>>;
  patch<T = unknown>(path: string, body?: unknown, request?: JsonRequest): Promise<JsonAnswer<T>>;
  put<T = unknown>(path: string, body?: unknown, request?: JsonRequest): Promise<JsonAnswer<T>>;
  delete<T = unknown>(path: string, request?: JsonRequest): Promise<JsonAnswer<T>>;
}

/** Sends and reads JSON. Never throws for a status: what came back is what a test looks at. */
export function createJsonClient(baseUrl: string, defaults: JsonRequest = {}): JsonClient {
  async function request<T>(method: string, path: string, one: JsonRequest = {}): Promise<JsonAnswer<T>> {
    const token = one.token ?? defaults.token;
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(one.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...defaults.headers,
        ...one.headers,
      },
      ...(one.body === undefined ? {} : { body: typeof one.body === 'string' ? one.body : JSON.stringify(one.body) }),
      signal: AbortSignal.timeout(one.timeoutMs ?? defaults.timeoutMs ?? defaultTimeoutMs),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text) as T, text };
  }
  return {
    request,
    get: (path, one) => request('GET', path, one),
    post: (path, body, one) => request('POST', path, { ...one, body }),
    patch: (path, body, one) => request('PATCH', path, { ...one, body }),
    put: (path, body, one) => request('PUT', path, { ...one, body }),
    delete: (path, one) => request('DELETE', path, one),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
