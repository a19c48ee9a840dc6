import { writeFile } from 'node:fs/promises';

type Value = string | number | { readonly [key: string]: Value } | readonly string[];

const recordBytes = 3;
const separatorBytes = 16;
const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')]);

/** A small database in MaxMind's format (MaxMind DB File Format Specification 2.0), of IPv4 networks. */
export async function writeMmdb(
  file: string,
  networks: readonly { readonly network: string; readonly data: Value }[],
): Promise<void> {
  const nodes: [number | undefined, number | undefined][] = [[undefined, undefined]];
  const sections: Buffer[] = [];
  const leaves: { node: number; bit: 0 | 1; offset: number }[] = [];
  let offset = 0;
  for (const { network, data } of networks) {
    const [address = '', length = '32'] = network.split('/');
    const bits = address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length));
    let node = 0;
    for (const [at, text] of [...bits].entries()) {
      const bit = text === '0' ? 0 : 1;
      if (at === bits.length - 1) leaves.push({ node, bit, offset });
      else {
        const next = nodes[node]?.[bit] ?? nodes.push([undefined, undefined]) - 1;
        (nodes[node] as [number | undefined, number | undefined])[bit] = next;
        node = next;
      }
    }
    const encoded = encode(data);
    sections.push(encoded);
    offset += encoded.length;
  }
  const records = nodes.map(([left, right]) => [left ?? nodes.length, right ?? nodes.length]);
  for (const leaf of leaves) {
    (records[leaf.node] as number[])[leaf.bit] = nodes.length + separatorBytes + leaf.offset;
  }
  const tree = Buffer.alloc(nodes.length * 2 * recordBytes);
  for (const [at, [left = 0, right = 0]] of records.entries()) {
    tree.writeUIntBE(left, at * 2 * recordBytes, recordBytes);
    tree.writeUIntBE(right, (at * 2 + 1) * recordBytes, recordBytes);
  }
  const metadata = encode({
    node_count: nodes.length,
    record_size: recordBytes * 8,
    ip_version: 4,
    database_type: 'Test-City',
    languages: ['en'],
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    description: { en: 'made by a test' },
  });
  await writeFile(file, Buffer.concat([tree, Buffer.alloc(separatorBytes), ...sections, marker, metadata]));
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 ? encodeInteger(value) : encodeDouble(value);
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([key, item]) => [encode(key), encode(item as Value)]),
  ]);
}

function encodeInteger(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return Buffer.concat([control(6, 4), bytes]);
}

function encodeDouble(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([control(3, 8), bytes]);
}

/** Types above 7 take a second byte. */
function control(type: number, size: number): Buffer {
  if (size >= 29) return type > 7 ? Buffer.from([29, type - 7, size - 29]) : Buffer.from([(type << 5) | 29, size - 29]);
  return type > 7 ? Buffer.from([size, type - 7]) : Buffer.from([(type << 5) | size]);
}
