import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Everything that came, for looking at what follows the first answer. */
  readonly text: string;
}

/** Sends bytes as they are, and reads until the other end closes or has answered with a length. */
export async function sendRaw(port: number, ...chunks: (string | Buffer)[]): Promise<RawAnswer> {
  return answerFromText(await exchange(port, chunks, false));
}

/** The same for a request that may promise more than it holds: says so when no answer has come for a while. */
export async function sendRawAndEnd(port: number, chunk: Buffer): Promise<RawAnswer | undefined> {
  const text = await exchange(port, [chunk], true);
  return text === '' ? undefined : answerFromText(text);
}

function answerFromText(all: string): RawAnswer {
  const text = withoutContinue(all);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: rest.join('\r\n\r\n'), text };
}

function withoutContinue(text: string): string {
  return text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
}

/** How long the rest of an unfinished request is waited for. */
const unfinishedMs = 300;

function exchange(port: number, chunks: readonly (string | Buffer)[], endsUnfinished: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const chunk of chunks) socket.write(chunk);
      if (endsUnfinished) setTimeout(() => socket.end(), unfinishedMs).unref();
    });
    let text = '';
    socket.setEncoding('latin1');
    socket.setTimeout(15_000, () => socket.destroy(new Error(`no answer; so far: ${text.slice(0, 200)}`)));
    socket.on('data', (chunk) => {
      text += chunk;
      if (isWhole(text)) socket.end();
    });
    socket.on('error', (error) => (isWhole(text) || endsUnfinished ? resolve(text) : reject(error)));
    socket.on('close', () => resolve(text));
  });
}

function isWhole(all: string): boolean {
  const text = withoutContinue(all);
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end));
  return length !== null && text.length - end - 4 >= Number(length[1]);
}
