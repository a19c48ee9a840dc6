// Every regular expression of the source, and every pattern of the contract, is checked for catastrophic backtracking.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { createFileRegistry, fromBinary, getOption, hasOption } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { field as fieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { type Literal, type Node, parse } from 'acorn';
import { full } from 'acorn-walk';
import { check } from 'recheck';
import t from 'tap';
import { isTest, root, sourceFiles } from '../house/source-files.ts';

const checkTimeoutMs = 2_000;
/** For what a busy machine could not judge in that. */
const secondTimeoutMs = 30_000;
const parallelMax = 2;
t.setTimeout(180_000);

/** Where an expression may take quadratic time, or more than the check has: what bounds the texts that it meets. */
const bounded: Readonly<Record<string, string>> = {
  'gateway/src/edge/reference.ts': 'our own page',
  'packages/platform/src/database/statement.ts': 'our own statements',
  'packages/platform/src/rpc/card-number.ts': 'texts that the contract bounds',
  'packages/platform/src/telemetry/redact.ts': 'textLengthMax',
  'packages/rest/src/openapi/paths.ts': 'the contract',
  'packages/rest/src/scalar.ts': 'numberLengthMax',
  'packages/tlog/src/witness/client.ts': 'configuration',
  'scripts/': 'what an operator writes',
};

interface Expression {
  readonly source: string;
  readonly flags: string;
  /** The first place that it stands in. */
  readonly place: string;
}

function expressionsOfSource(): Expression[] {
  return sourceFiles(/\.(ts|js)$/)
    .filter(({ path }) => !isTest(path))
    .flatMap(({ path, text }) => {
      const code = path.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
      const found: Expression[] = [];
      full(parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }), (node: Node) => {
        const { regex, start } = node as Literal;
        if (regex === undefined || regex === null) return;
        const line = code.slice(0, start).split('\n').length;
        found.push({ source: regex.pattern, flags: regex.flags, place: `${path}:${line}` });
      });
      return found;
    });
}

function expressionsOfContract(): Expression[] {
  const descriptors = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, 'gen', 'descriptors.binpb')));
  const found: Expression[] = [];
  for (const type of createFileRegistry(descriptors)) {
    if (type.kind !== 'message' || !type.typeName.startsWith('strongroom.')) continue;
    for (const field of type.fields.filter((one) => hasOption(one, fieldRules))) {
      const { type: rules } = getOption(field, fieldRules);
      const pattern = rules.case === 'string' ? rules.value.pattern : '';
      if (pattern !== '') found.push({ source: pattern, flags: '', place: `${type.typeName}.${field.name}` });
    }
  }
  return found;
}

/** What of them could be made to run for ever, by which text. */
async function vulnerable(expressions: readonly Expression[]): Promise<string[]> {
  const found: string[] = [];
  const waiting = [...expressions];
  const worker = async () => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const { source, flags, place } = one;
      const isBounded = Object.keys(bounded).some((path) => place.startsWith(path));
      let outcome = await check(source, flags, { timeout: checkTimeoutMs });
      if (outcome.status === 'unknown' && !isBounded) {
        outcome = await check(source, flags, { timeout: secondTimeoutMs });
      }
      const isExponential = outcome.status === 'vulnerable' && outcome.complexity.type === 'exponential';
      if (isBounded && !isExponential) continue;
      if (outcome.status === 'vulnerable') {
        found.push(`${place}: /${source}/${flags} is ${outcome.complexity.type}, by ${outcome.attack.pattern}`);
      } else if (outcome.status === 'unknown') {
        found.push(`${place}: /${source}/${flags} could not be judged`);
      }
    }
  };
  await Promise.all(Array.from({ length: parallelMax }, worker));
  return found;
}

t.test('house: no regular expression can be made to run for ever', async (t) => {
  const all = [...expressionsOfSource(), ...expressionsOfContract()];
  const distinct = [...new Map(all.map((one) => [`/${one.source}/${one.flags}`, one])).values()];
  t.ok(distinct.length > 100, `${distinct.length} of ${all.length} are distinct`);
  t.same(await vulnerable(distinct), []);
});

t.test('house: the check finds one that can', async (t) => {
  t.match(await vulnerable([{ source: '^(a+)+$', flags: '', place: 'here' }]), [/exponential/]);
});
