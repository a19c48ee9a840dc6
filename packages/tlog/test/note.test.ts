import fc from 'fast-check';
import { test } from 'tap';
import {
  appendSignatureLines,
  cosignatureTimestamp,
  createCosignatureVerifier,
  createCosigner,
  createNoteSigner,
  createNoteVerifier,
  formatCheckpoint,
  formatVerifierKey,
  minimumIndexFromCheckpoint,
  minimumIndexToExtensions,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  privateKeyFromSeed,
  signCheckpoint,
  signNote,
} from '../src/index.ts';
import { logSigner, NOW_SECONDS, ORIGIN, testLeaf, trustOf, WITNESS, witnessSigner } from './log-fixture.ts';

// golang.org/x/mod/sumdb/note, note_test.go: the reference implementation's own key and note.
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_SECRET = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
// C2SP signed-note, "Example".
const SPEC_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const SPEC_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
// A checkpoint of a public log with cosignatures of public witnesses, as it was served.
const PUBLIC_CHECKPOINT = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`;
const PUBLIC_LOG_KEY = 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f';
const PUBLIC_WITNESS_KEYS = [
  'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
  'witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv',
  'transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM',
  'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
];

test('B-log: notes of the reference implementation verify, and ours are the same to the byte', async (t) => {
  const seed = Buffer.from(GO_SECRET, 'base64').subarray(1);
  const signer = createNoteSigner('PeterNeumann', privateKeyFromSeed(seed));
  t.equal(formatVerifierKey(signer.key), GO_KEY);
  t.equal(await signNote(GO_TEXT, [signer]), `${GO_TEXT}\n${GO_LINE}`, 'Ed25519 is deterministic');
  t.equal(openNote(`${GO_TEXT}\n${GO_LINE}`, [createNoteVerifier(parseVerifierKey(GO_KEY))]).text, GO_TEXT);
  const specVerifier = createNoteVerifier(parseVerifierKey(SPEC_KEY));
  t.equal(openNote(SPEC_NOTE, [specVerifier]).text, 'This is an example message.\n');
  t.throws(() => openNote(SPEC_NOTE.replace('message', 'massage'), [specVerifier]), { code: 'BAD_SIGNATURE' });
});

test("B-log: a public log's checkpoint and its witnesses' cosignatures verify", async (t) => {
  const trust = {
    origin: 'arche2025h1.staging.ct.transparency.dev',
    logKeys: [parseVerifierKey(PUBLIC_LOG_KEY)],
    witnessKeys: PUBLIC_WITNESS_KEYS.map(parseVerifierKey),
    quorum: 4,
  };
  const { checkpoint, cosignatures } = openCheckpoint(PUBLIC_CHECKPOINT, trust);
  t.equal(checkpoint.size, 1_432_088_532);
  t.same(new Set(cosignatures.map(({ timestampSeconds }) => timestampSeconds)), new Set([0x6a122120]));
  t.equal(cosignatures.length, 4);
  const altered = PUBLIC_CHECKPOINT.replace('1432088532', '1432088533');
  t.throws(() => openCheckpoint(altered, trust), { code: 'BAD_SIGNATURE' });
  t.throws(() => openCheckpoint(PUBLIC_CHECKPOINT, { ...trust, logKeys: [parseVerifierKey(GO_KEY)] }), {
    code: 'UNTRUSTED_NOTE',
  });
});

test('B-log: malformed notes are refused', async (t) => {
  const valid = `${GO_TEXT}\n${GO_LINE}`;
  const wrong: Record<string, string | Uint8Array> = {
    empty: '',
    'no signature': `${GO_TEXT}\n`,
    'no blank line': GO_TEXT + GO_LINE,
    'no final newline': valid.slice(0, -1),
    'a hyphen for the dash': valid.replace('—', '-'),
    'two spaces': valid.replace('— ', '—  '),
    'a plus in the name': valid.replace('PeterNeumann', 'Peter+Neumann'),
    'a no-break space in the name': valid.replace('PeterNeumann', 'Peter\u00a0Neumann'),
    'base64 without padding': valid.replace('nAM=', 'nAM'),
    'base64 with stray bits': valid.replace('nAM=', 'nAN='),
    'a key id and nothing more': `${GO_TEXT}\n— PeterNeumann x08gow==\n`,
    'a control character': valid.replace('think', 'thi\u0007nk'),
    'a carriage return': valid.replace('\n', '\r\n'),
    'a lone surrogate': valid.replace('think', 'thi\ud800nk'),
    'broken UTF-8': Buffer.concat([Buffer.of(0xff), Buffer.from(valid)]),
    'more than 100 signatures': `${GO_TEXT}\n${GO_LINE.repeat(101)}`,
    'too long': `${'x'.repeat(262_144)}\n\n${GO_LINE}`,
  };
  for (const [what, note] of Object.entries(wrong)) t.throws(() => parseNote(note), { code: 'MALFORMED_NOTE' }, what);
  const withMark = Buffer.from(`\ufeff${valid}`);
  const verifier = createNoteVerifier(parseVerifierKey(GO_KEY));
  t.throws(() => openNote(withMark, [verifier]), { code: 'BAD_SIGNATURE' }, 'a byte order mark is part of the text');
  t.equal(parseNote('\n\n— n AAAAAAAAAA==\n').text, '\n', 'a text of one empty line is a text');
  t.equal(parseNote(`a\n\nb\n\n${GO_LINE}`).text, 'a\n\nb\n', 'the last empty line parts text and signatures');
});

test('B-log: unknown keys are ignored, a known key that fails spoils the note', async (t) => {
  const verifier = createNoteVerifier(parseVerifierKey(GO_KEY));
  const other = await signNote(GO_TEXT, [createNoteSigner('PeterNeumann', privateKeyFromSeed(Buffer.alloc(32, 9)))]);
  const otherLine = other.slice(GO_TEXT.length + 1);
  t.equal(openNote(`${GO_TEXT}\n${otherLine}${GO_LINE}`, [verifier]).verified.length, 1, 'same name, other id');
  t.throws(() => openNote(other, [verifier]), { code: 'UNTRUSTED_NOTE' });
  const blob = Buffer.from(GO_LINE.trim().split(' ')[2] ?? '', 'base64');
  blob[10] = (blob[10] ?? 0) ^ 1;
  const failing = `— PeterNeumann ${blob.toString('base64')}\n`;
  t.throws(() => openNote(`${GO_TEXT}\n${failing}${GO_LINE}`, [verifier]), { code: 'BAD_SIGNATURE' });
  t.equal(appendSignatureLines(`${GO_TEXT}\n${GO_LINE}`, [otherLine]), `${GO_TEXT}\n${GO_LINE}${otherLine}`);
  t.throws(() => appendSignatureLines(`${GO_TEXT}\n${GO_LINE}`, ['\n— n AAAAAAAAAA==\n']), { code: 'MALFORMED_NOTE' });
  await t.rejects(signNote('no newline', [logSigner]), { code: 'MALFORMED_NOTE' });
});

test('B-log: no part and no change of a verifier key is another key', async (t) => {
  for (let start = 0; start <= GO_KEY.length; start += 1) {
    for (let end = start + 1; end <= GO_KEY.length; end += 1) {
      if (start === 0 && end === GO_KEY.length) continue;
      if (isParsed(GO_KEY.slice(start, end))) t.fail(`${GO_KEY.slice(start, end)} was taken`);
    }
  }
  const codes = fc.integer({ min: 1, max: 0x10ffff });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat({ max: GO_KEY.length - 1 }), codes, (at, code) => {
        const changed = `${GO_KEY.slice(0, at)}${String.fromCodePoint(code)}${GO_KEY.slice(at + 1)}`;
        return changed === GO_KEY || !isParsed(changed);
      }),
      { numRuns: 2_000 },
    ),
  );
  t.throws(() => parseVerifierKey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='));
  for (const key of [GO_KEY, SPEC_KEY, ...PUBLIC_WITNESS_KEYS, PUBLIC_LOG_KEY]) {
    t.equal(formatVerifierKey(parseVerifierKey(key)), key);
  }
});

function isParsed(key: string): boolean {
  try {
    parseVerifierKey(key);
    return true;
  } catch {
    return false;
  }
}

test('B-log: cosignatures sign the time and the whole checkpoint, extension lines too', async (t) => {
  const root = testLeaf(0);
  const text = formatCheckpoint({ origin: ORIGIN, size: 7, root, extensions: ['minimum-index 3'] });
  const signature = Buffer.from(await witnessSigner.sign(text));
  const verifier = createCosignatureVerifier(witnessSigner.key);
  t.equal(signature.length, 72);
  t.equal(cosignatureTimestamp(signature), NOW_SECONDS);
  t.equal(verifier.isValid(text, signature), true);
  t.equal(verifier.isValid(text.replace('index 3', 'index 4'), signature), false);
  for (let at = 0; at < signature.length; at += 1) {
    const changed = Buffer.from(signature);
    changed[at] = (changed[at] ?? 0) ^ 1;
    if (verifier.isValid(text, changed)) t.fail(`byte ${at} does not count`);
  }
  t.equal(verifier.isValid(text, signature.subarray(1)), false);
  t.equal(verifier.isValid(text, Buffer.alloc(0)), false);
  t.equal(cosignatureTimestamp(Buffer.alloc(72)), undefined, 'time 0 says nothing of time');
  t.equal(cosignatureTimestamp(Buffer.alloc(72, 0xff)), undefined, 'nor does one beyond 2^53');
  t.throws(() => createCosignatureVerifier(logSigner.key), { code: 'MALFORMED_KEY' });
  t.throws(() => createNoteVerifier(witnessSigner.key), { code: 'MALFORMED_KEY' });
});

test('B-log: checkpoints have one spelling, and count once enough witnesses cosigned', async (t) => {
  const checkpoint = { origin: ORIGIN, size: 20_852_163, root: testLeaf(1), extensions: ['one', 'two'] };
  const text = formatCheckpoint(checkpoint);
  t.equal(text, `${ORIGIN}\n20852163\n${Buffer.from(testLeaf(1)).toString('base64')}\none\ntwo\n`);
  t.same(parseCheckpoint(text), { ...checkpoint, root: Buffer.from(checkpoint.root) });
  const changes: [from: string | RegExp, to: string][] = [
    [/^.*\n/, '\n'],
    ['20852163', '020852163'],
    ['20852163', '-1'],
    ['20852163', '1e3'],
    ['20852163', '9007199254740993'],
    ['=\n', '\n'],
    ['=\n', '=\n\n'],
    ['two\n', 'two'],
  ];
  for (const [from, to] of changes) {
    t.throws(() => parseCheckpoint(text.replace(from, to)), { code: 'MALFORMED_CHECKPOINT' }, `${from} → ${to}`);
  }
  t.throws(() => formatCheckpoint({ ...checkpoint, extensions: [''] }), { code: 'MALFORMED_CHECKPOINT' });
  t.throws(() => formatCheckpoint({ ...checkpoint, origin: 'a\nb' }), { code: 'MALFORMED_CHECKPOINT' });
  const signed = await signCheckpoint(checkpoint, [logSigner]);
  const cosigned = await signCheckpoint(checkpoint, [logSigner, witnessSigner]);
  t.same(
    openCheckpoint(cosigned, trustOf()).cosignatures.map(({ name, timestampSeconds }) => [name, timestampSeconds]),
    [[WITNESS, NOW_SECONDS]],
  );
  t.throws(() => openCheckpoint(signed, trustOf()), { code: 'UNWITNESSED' });
  t.equal(openCheckpoint(signed, trustOf(0)).cosignatures.length, 0);
  t.throws(() => openCheckpoint(cosigned, { ...trustOf(), origin: 'other' }), { code: 'UNTRUSTED_NOTE' });
  const onlyWitness = await signCheckpoint(checkpoint, [witnessSigner]);
  t.throws(() => openCheckpoint(onlyWitness, trustOf()), { code: 'UNTRUSTED_NOTE' }, 'a witness speaks for no log');
  const sameKey = createCosigner('witness.example/w2', privateKeyFromSeed(Buffer.alloc(32, 2)), () => 1);
  const twice = { ...trustOf(2), witnessKeys: [witnessSigner.key, sameKey.key] };
  t.throws(() => openCheckpoint(cosigned, twice), { code: 'MALFORMED_KEY' }, 'one key is one witness');
});

test('B-erase: the signed minimum index is one extension line', async (t) => {
  const checkpoint = { origin: ORIGIN, size: 10, root: testLeaf(1), extensions: minimumIndexToExtensions(7) };
  t.equal(minimumIndexFromCheckpoint(checkpoint), 7);
  t.equal(minimumIndexFromCheckpoint({ ...checkpoint, extensions: minimumIndexToExtensions(0) }), 0);
  for (const extensions of [['minimum-index 11'], ['minimum-index 07'], ['minimum-index 1', 'minimum-index 2']]) {
    t.throws(() => minimumIndexFromCheckpoint({ ...checkpoint, extensions }), { code: 'MALFORMED_CHECKPOINT' });
  }
});
