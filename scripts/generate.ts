// `npm run generate [-- FOLDER]`: TypeScript and a descriptor set into gen/ (of FOLDER, else of this checkout). Works
// offline: foreign contracts come out of npm packages into proto-foreign/.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { writeForeignProtos } from './foreign-protos.ts';

const help = `Usage: npm run generate [-- FOLDER]

Generates TypeScript and a descriptor set from proto/ into gen/ of FOLDER (default: this checkout).
`;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h', default: false } },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const root = join(import.meta.dirname, '..');
const target = resolve(positionals[0] ?? root);
const run = promisify(execFile);

async function buf(...args: string[]): Promise<void> {
  await run(join(root, 'node_modules/.bin/buf'), args, { cwd: root });
}

await writeForeignProtos(join(root, 'proto-foreign'));
for (const folder of ['strongroom', 'google', 'grpc']) {
  await rm(join(target, 'gen', folder), { recursive: true, force: true });
}
await mkdir(join(target, 'gen'), { recursive: true });
await buf('generate', '--output', target);
// With comments: OpenAPI's descriptions come from them, and protoc-gen-es leaves them out of the code's descriptors.
await buf('build', '--as-file-descriptor-set', '--output', join(target, 'gen/descriptors.binpb'));
console.log(`generated ${join(target, 'gen')} from proto/`);
