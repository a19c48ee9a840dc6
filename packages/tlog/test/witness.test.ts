import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Test, test } from 'tap';
import {
  consistencyProof,
  createNoteSigner,
  createWitnessClient,
  formatVerifierKey,
  openCheckpoint,
  openCheckpointStore,
  parseVerifierKey,
  privateKeyFromSeed,
  rootFromTiles,
  signCheckpoint,
  type Trust,
  verifyExport,
} from '../src/index.ts';
import { createAddCheckpoint } from '../src/witness/add-checkpoint.ts';
import { formatAddCheckpoint } from '../src/witness/request.ts';
import {
  createTestLog,
  exportToBuffer,
  growTree,
  inChunks,
  logKey,
  logSigner,
  ORIGIN,
  testLeaf,
  testRow,
  WITNESS,
  witnessSigner,
} from './log-fixture.ts';

const MAIN = fileURLToPath(new URL('../src/witness/main.ts', import.meta.url));
const leaves = Array.from({ length: 2_000 }, (_, index) => testLeaf(index));
const { read } = growTree(leaves);

interface Witness {
  readonly url: string;
  readonly verifierKey: string;
  readonly child: ChildProcess;
  post(body: string): Promise<Response>;
  stop(signal: NodeJS.Signals): Promise<void>;
}

async function startWitness(t: Test, directory: string, environment: Record<string, string> = {}): Promise<Witness> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      WITNESS_NAME: WITNESS,
      WITNESS_DIRECTORY: directory,
      WITNESS_PORT: '0',
      WITNESS_LOG_KEYS: logKey,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const logged: string[] = [];
  for await (const line of lines) {
    logged.push(line);
    const { msg, url, verifierKey } = JSON.parse(line);
    if (msg !== 'witness listening') continue;
    child.stdout?.resume();
    return {
      url,
      verifierKey,
      child,
      post: (body) => fetch(`${url}/add-checkpoint`, { method: 'POST', body }),
      async stop(signal) {
        child.kill(signal);
        await exited;
      },
    };
  }
  throw new Error(`the witness did not start: ${logged.join('\n')}`);
}

function trustIn(witness: { verifierKey: string }): Trust {
  return {
    origin: ORIGIN,
    logKeys: [logSigner.key],
    witnessKeys: [parseVerifierKey(witness.verifierKey)],
    quorum: 1,
  };
}

/** A checkpoint of the test log, or of a fork of it, in which the last leaf of the tree is another. */
async function checkpointAt(
  size: number,
  options: { fork?: boolean; signer?: typeof logSigner } = {},
): Promise<string> {
  const tiles = options.fork ? growTree([...leaves.slice(0, size - 1), testLeaf(-1)]).read : read;
  const root = await rootFromTiles(size, tiles);
  const signer = options.signer ?? logSigner;
  return signCheckpoint({ origin: signer.key.name, size, root, extensions: [] }, [signer]);
}

async function requestOf(oldSize: number, size: number): Promise<string> {
  return formatAddCheckpoint({
    oldSize,
    proof: await consistencyProof(oldSize, size, read),
    note: await checkpointAt(size),
  });
}

test('B-log: the witness process cosigns what extends the log, by the C2SP tlog-witness protocol', async (t) => {
  const directory = join(t.testdir(), 'witness');
  const witness = await startWitness(t, directory);
  const first = await witness.post(await requestOf(0, 100));
  t.equal(first.status, 200);
  const cosigned = (await checkpointAt(100)) + (await first.text());
  t.match(openCheckpoint(cosigned, trustIn(witness)).cosignatures, [{ name: WITNESS }]);
  t.equal((await witness.post(await requestOf(100, 777))).status, 200);
  t.equal((await witness.post(await requestOf(777, 777))).status, 200, 'an empty interval gets one too');

  const stale = await witness.post(await requestOf(100, 800));
  t.equal(stale.status, 409);
  t.equal(stale.headers.get('content-type'), 'text/x.tlog.size');
  t.equal(await stale.text(), '777\n');
  t.match(await (await witness.post(await requestOf(0, 50))).text(), '777\n', 'a rollback gets the size too');

  const fork = formatAddCheckpoint({ oldSize: 777, proof: [], note: await checkpointAt(777, { fork: true }) });
  const forked = await witness.post(fork);
  t.equal(forked.status, 409);
  t.match(await forked.text(), /forked/);
  const proof = await consistencyProof(777, 900, read);
  const laterFork = formatAddCheckpoint({ oldSize: 777, proof, note: await checkpointAt(900, { fork: true }) });
  t.equal((await witness.post(laterFork)).status, 422);
  const noProof = formatAddCheckpoint({ oldSize: 777, proof: [], note: await checkpointAt(900) });
  t.equal((await witness.post(noProof)).status, 422);

  const thief = createNoteSigner(ORIGIN, privateKeyFromSeed(Buffer.alloc(32, 66)));
  const stranger = createNoteSigner('other.example/log', privateKeyFromSeed(Buffer.alloc(32, 67)));
  const bodyOf = async (signer: typeof logSigner) =>
    formatAddCheckpoint({ oldSize: 777, proof, note: await checkpointAt(900, { signer }) });
  t.equal((await witness.post(await bodyOf(thief))).status, 403, 'an unknown key');
  t.equal((await witness.post(await bodyOf(stranger))).status, 404, 'an unknown log');
  const broken = (await requestOf(777, 900)).replace('\n900\n', '\n901\n');
  t.equal((await witness.post(broken)).status, 403, 'a signature that does not fit');
  const valid = await requestOf(777, 900);
  const shrinking = formatAddCheckpoint({ oldSize: 777, proof: [], note: await checkpointAt(700) });
  for (const body of ['', 'old 1', valid.replace('old 777', 'old 0777'), valid.replace('=\n', '\n'), shrinking]) {
    t.equal((await witness.post(body)).status, 400, JSON.stringify(body.slice(0, 20)));
  }
  t.equal((await witness.post('x'.repeat(300_000))).status, 413);
  t.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405);
  t.equal((await fetch(`${witness.url}/livez`)).status, 200);
  t.equal((await fetch(`${witness.url}/other`)).status, 404);
  t.equal((await witness.post(await requestOf(777, 900))).status, 200, 'and none of it has changed its state');
  await witness.stop('SIGTERM');
  t.equal(witness.child.exitCode, 0, 'it closes when told to');
});

test('B-log: the witness keeps key and checkpoints through a restart, and starts with neither alone', async (t) => {
  const directory = join(t.testdir(), 'witness');
  const before = await startWitness(t, directory);
  t.equal((await before.post(await requestOf(0, 300))).status, 200);
  await before.stop('SIGTERM');
  const keyFile = join(directory, 'witness-key.pem');
  t.equal((await stat(keyFile)).mode & 0o777, 0o600);
  t.equal((await readFile(join(directory, 'verifier-key.txt'), 'utf8')).trim(), before.verifierKey);

  const after = await startWitness(t, directory);
  t.equal(after.verifierKey, before.verifierKey);
  t.equal(await (await after.post(await requestOf(0, 200))).text(), '300\n');
  const [folder = ''] = await readdir(join(directory, 'checkpoints'));
  const kept = await (await fetch(`${after.url}/${folder}/checkpoint`)).text();
  t.equal(openCheckpoint(kept, trustIn(after)).checkpoint.size, 300, 'anyone can ask what it has cosigned last');
  await after.stop('SIGTERM');

  await chmod(keyFile, 0o644);
  await t.rejects(startWitness(t, directory), { message: /read by others/ });
  await chmod(keyFile, 0o600);
  const stored = join(
    directory,
    'checkpoints',
    folder,
    (await readdir(join(directory, 'checkpoints', folder)))[0] ?? '',
  );
  await writeFile(stored, 'damaged');
  const confused = await startWitness(t, directory);
  t.equal((await confused.post(await requestOf(0, 400))).status, 500, 'a damaged memory is not a fresh start');
  await confused.stop('SIGTERM');
  const key = await readFile(keyFile);
  await rm(keyFile);
  await t.rejects(startWitness(t, directory), { message: /holds checkpoints but no/ });
  await writeFile(keyFile, key, { mode: 0o600 });
  await rm(join(directory, 'checkpoints'), { recursive: true });
  await t.rejects(startWitness(t, directory), { message: /holds a key but no checkpoints/ });
  await t.rejects(startWitness(t, directory, { WITNESS_NAME: '', WITNESS_PORT: 'x' }), {
    message: /WITNESS_NAME is needed.*WITNESS_PORT is no port/,
  });
});

test('B-log: kill -9 in the middle of add-checkpoint leaves a consistent store, never an older one', async (t) => {
  const directory = join(t.testdir(), 'witness');
  let acknowledged = 0;
  let sent = 0;
  for (let round = 0; round < 6; round += 1) {
    const witness = await startWitness(t, directory);
    const client = createWitnessClient({ url: witness.url, verifierKey: witness.verifierKey });
    const killAfter = 1 + round * 3;
    for (let request = 0; ; request += 1) {
      sent = acknowledged + 1 + (request % 7);
      const note = await checkpointAt(sent);
      const cosigning = client.cosign({
        note,
        oldSize: acknowledged,
        readProof: (old) => consistencyProof(old, sent, read),
      });
      // The kill hits while the request is under way: before, during or after the write.
      if (request === killAfter) {
        setTimeout(() => witness.child.kill('SIGKILL'), round * 2);
        await cosigning.then(
          ({ size }) => {
            acknowledged = size;
          },
          () => undefined,
        );
        break;
      }
      acknowledged = (await cosigning).size;
    }
    await witness.stop('SIGKILL');
    const again = await startWitness(t, directory);
    const [folder = ''] = await readdir(join(directory, 'checkpoints'));
    const kept = openCheckpoint(await (await fetch(`${again.url}/${folder}/checkpoint`)).text(), trustIn(again));
    const { size } = kept.checkpoint;
    t.ok(size === acknowledged || size === sent, `round ${round}: ${size} is the last answered or the last asked for`);
    const files = await readdir(join(directory, 'checkpoints', folder));
    t.ok(
      files.every((file) => /^[0-9]{16}\.note$/.test(file)),
      'no half-written file is left',
    );
    t.equal(await (await again.post(await requestOf(0, 1))).text(), `${size}\n`, 'a rollback is refused');
    const fork = { oldSize: size, proof: [], note: await checkpointAt(size, { fork: true }) };
    t.equal((await again.post(formatAddCheckpoint(fork))).status, 409, 'and a fork');
    acknowledged = size;
    await again.stop('SIGTERM');
  }
});

test('B-log: two witnesses on one store never cosign two histories', async (t) => {
  const honest = await requestOf(0, 500);
  const fork = formatAddCheckpoint({ oldSize: 0, proof: [], note: await checkpointAt(500, { fork: true }) });
  const wins = { honest: 0, fork: 0 };
  for (let round = 0; round < 20; round += 1) {
    const directory = t.testdir();
    const stores = [await openCheckpointStore(directory), await openCheckpointStore(directory)] as const;
    const [one, two] = stores.map((store) =>
      createAddCheckpoint({ signer: witnessSigner, store, readLogKeys: async () => [logSigner.key] }),
    );
    const requests = round % 2 === 0 ? [honest, fork] : [fork, honest];
    const answers = await Promise.all([one?.(requests[0] ?? ''), two?.(requests[1] ?? '')]);
    const winner = answers.findIndex((answer) => answer?.status === 200);
    const isHonest = requests[winner] === honest;
    wins[isHonest ? 'honest' : 'fork'] += 1;
    const latest = await stores[0].latest(ORIGIN);
    const expected = await rootFromTiles(500, read);
    const isKept = (Buffer.compare(latest?.checkpoint.root ?? Buffer.alloc(0), expected) === 0) === isHonest;
    const statuses = answers.map((answer) => answer?.status).sort();
    t.same({ statuses, isKept }, { statuses: [200, 409], isKept: true }, `round ${round}`);
  }
  t.ok(wins.honest > 0 && wins.fork > 0, `both came first at times: ${JSON.stringify(wins)}`);
});

test("B-log: the log's client finds the witness's size by itself, and learns of a rollback", async (t) => {
  const directory = join(t.testdir(), 'witness');
  const keysFile = join(t.testdirName, 'log-keys.txt');
  const witness = await startWitness(t, directory, { WITNESS_LOG_KEYS: '', WITNESS_LOG_KEYS_FILE: keysFile });
  const client = createWitnessClient({ url: `${witness.url}/`, verifierKey: witness.verifierKey });
  const cosign = async (size: number, oldSize: number) =>
    client.cosign({
      note: await checkpointAt(size),
      oldSize,
      readProof: (old) => consistencyProof(old, size, read),
    });
  await t.rejects(cosign(10, 0), { code: 'WITNESS_REFUSED', message: /404/ }, 'the log has made no key yet');
  await writeFile(keysFile, `${logKey}\n`);
  t.equal((await cosign(1_000, 0)).size, 1_000, 'the key is trusted as soon as it is there');
  const { note } = await cosign(1_500, 0);
  t.equal(openCheckpoint(note, trustIn(witness)).checkpoint.size, 1_500, 'a wrong guess costs one more request');
  await t.rejects(cosign(1_200, 1_000), { code: 'WITNESS_AHEAD' });
  const impostor = createWitnessClient({ url: witness.url, verifierKey: formatVerifierKey(witnessSigner.key) });
  const request = { note: await checkpointAt(1_500), oldSize: 1_500, readProof: async () => [] };
  await t.rejects(impostor.cosign(request), { code: 'UNTRUSTED_NOTE' }, "another key's cosignature is no cosignature");
  await witness.stop('SIGKILL');
  await t.rejects(cosign(1_600, 1_500), 'a witness that is gone is an error, not a cosignature');
});

test('B-log: a log rewritten with its real key gets no cosignature, and the verifier says what is known', async (t) => {
  const directory = join(t.testdir(), 'witness');
  const witness = await startWitness(t, directory);
  const pins = { logKeys: [logKey], witnessKeys: [witness.verifierKey] };
  const client = createWitnessClient({ url: witness.url, verifierKey: witness.verifierKey });
  const cosign = async (log: Awaited<ReturnType<typeof createTestLog>>) => {
    const { note } = await client.cosign({
      note: log.checkpoints.at(-1) ?? '',
      oldSize: 0,
      readProof: (old) => consistencyProof(old, log.rows.length, log.readTile),
    });
    return { ...log, checkpoints: [note] };
  };
  const honest = await cosign(await createTestLog([600], { signers: [logSigner] }));
  const verify = async (file: Buffer, label?: string) => {
    const trustedCheckpoints = label ? [{ label, note: await readFile(label) }] : [];
    return verifyExport({ chunks: inChunks(file), nowSeconds: Date.now() / 1_000, trustedCheckpoints, ...pins });
  };
  t.match(await verify(await exportToBuffer(honest)), { ok: true, size: 600 });

  const rewritten = await createTestLog([700], { signers: [logSigner], row: (index) => testRow(index, index + 5_000) });
  await t.rejects(cosign(rewritten), { code: 'WITNESS_REFUSED', message: /422/ });
  const file = await exportToBuffer(rewritten);
  t.match(await verify(file), { ok: false, code: 'UNWITNESSED', firstBadIndex: 0 });
  const [folder = ''] = await readdir(join(directory, 'checkpoints'));
  const [memory = ''] = await readdir(join(directory, 'checkpoints', folder));
  const known = await verify(file, join(directory, 'checkpoints', folder, memory));
  t.match(known, { ok: false, code: 'REWRITTEN', firstBadIndex: 0, message: /Rows 0 to 599 were rewritten/ });
});
