// Fields that HTTP/2 forbids, as bytes that no client library would send: refused before anything sees them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import t from 'tap';
import { startContractEdge } from './contract-edge.ts';

const edge = await startContractEdge(t);
const port = Number(new URL(edge.mesh.upstreams[0]?.url ?? '').port);

const frameTypes = { headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const endOfStreamAndHeaders = 0x05;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** RFC 7541, 6.2.2: a literal field without indexing, name and value as they are. */
function literal(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([Buffer.from([Buffer.byteLength(part)]), Buffer.from(part, 'latin1')]);
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** What a request for /livez with the fields given meets: its status as it stands in the static table, or a refusal. */
function ask(...fields: [name: string, value: string][]): Promise<string> {
  const block = Buffer.concat([
    literal(':method', 'GET'),
    literal(':scheme', 'http'),
    literal(':path', '/livez'),
    literal(':authority', 'x'),
    ...fields.map(([name, value]) => literal(name, value)),
  ]);
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(frame(frameTypes.settings, 0, 0, Buffer.alloc(0)));
      socket.write(frame(frameTypes.headers, endOfStreamAndHeaders, 1, block));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const outcome = outcomeIn(received);
      if (outcome === undefined) return;
      socket.destroy();
      resolve(outcome);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve('closed'));
  });
}

function outcomeIn(bytes: Buffer): string | undefined {
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const type = bytes.readUInt8(at + 3);
    if (type === frameTypes.reset) return 'reset';
    if (type === frameTypes.goAway) return 'connection ended';
    if (type === frameTypes.headers && at + 9 < bytes.length) {
      // RFC 7541, appendix A: 8 is status 200, 12 is 400.
      const index = bytes.readUInt8(at + 9) & 0x7f;
      return index === 8 ? '200' : index === 12 ? '400' : `field ${index}`;
    }
    at += 9 + length;
  }
  return undefined;
}

t.test(
  'S6.1, ASVS V4.2.3, V4.2.4: fields of a connection end the stream, and a broken line never arrives',
  async (t) => {
    const arrived: string[] = [];
    const note = (message: unknown) => {
      const { headers } = message as { headers: Readonly<Record<string, string>> };
      arrived.push(JSON.stringify(headers));
    };
    subscribe('http2.server.stream.created', note);
    t.teardown(() => unsubscribe('http2.server.stream.created', note));
    t.equal(await ask(['x-honest', 'b']), '200', 'an honest request is answered');
    t.match(arrived.join(), 'x-honest', 'and its field is there');
    const refused: [name: string, value: string][] = [
      ['connection', 'close'],
      ['transfer-encoding', 'chunked'],
      ['keep-alive', 'timeout=5'],
      ['upgrade', 'h2c'],
      ['te', 'gzip'],
      [':path', '/readyz'],
      [':scheme', 'http\r\nx-injected: 1'],
    ];
    for (const [name, value] of refused) {
      const outcome = await ask([name, value]);
      t.ok(['reset', 'connection ended', 'closed', '400'].includes(outcome), `${name}: ${outcome}`);
    }
    // Node's parser leaves such a field out and goes on with the others.
    const leftOut: [name: string, value: string][] = [
      ['x-a', 'b\r\nx-injected: 1'],
      ['x-a', 'b\nx-injected'],
      ['x-a', 'b\rx-injected'],
      ['x-a', 'x-injected\0'],
      ['x-a\r\nx-injected', '1'],
      ['x-injected\0', '1'],
    ];
    for (const [name, value] of leftOut) await ask([name, value]);
    t.notMatch(arrived.join(), 'x-injected');
  },
);
