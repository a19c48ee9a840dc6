// `npm run generate`: foreign contracts into proto-foreign/, TypeScript and a descriptor set into gen/. Works offline.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeForeignProtos } from './foreign-protos.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

async function buf(...args: string[]): Promise<void> {
  await run(join(root, 'node_modules/.bin/buf'), args, { cwd: root });
}

await writeForeignProtos(join(root, 'proto-foreign'));
for (const folder of ['strongroom', 'google', 'grpc']) {
  await rm(join(root, 'gen', folder), { recursive: true, force: true });
}
await mkdir(join(root, 'gen'), { recursive: true });
await buf('generate');
// With comments: OpenAPI's descriptions come from them, and protoc-gen-es leaves them out of the code's descriptors.
await buf('build', '--as-file-descriptor-set', '--output', 'gen/descriptors.binpb');
console.log('generated gen/ from proto/');
