// `npm run bench [-- NAME]`: figures of speed, in one run on one machine. Ratios compare two ways in turn, so that they
// hold when the machine's speed drifts; absolute rates are for the curious.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, benches } from './benches.ts';

const help = `Usage: npm run bench -- [NAME…]

Runs all benches, or those named, and writes bench/results/latest.json: a flat object of figures. Ends with 1 if a figure
does not hold what it promises.

${Object.entries(benches)
  .map(([name, { doc }]) => `  ${name.padEnd(16)} ${doc}`)
  .join('\n')}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no bench ${unknown.join(', ')}.\n`);
  console.log(help);
  process.exit(unknown.length > 0 ? 2 : 0);
}

/** A word on what the figure promises; empty if that is nothing. */
function judge(
  { atMost = {}, atLeast = {} }: Bench,
  figure: string,
  value: number,
): { text: string; isBroken: boolean } {
  const boundOf = (bounds: Readonly<Record<string, number>>) =>
    Object.entries(bounds).find(([end]) => figure.endsWith(end))?.[1];
  const [max, min] = [boundOf(atMost), boundOf(atLeast)];
  if (max !== undefined) return verdict(value <= max, `at most ${max}`);
  if (min !== undefined) return verdict(value >= min, `at least ${min}`);
  return { text: '', isBroken: false };
}

function verdict(isHeld: boolean, promise: string) {
  return { text: `  ${isHeld ? 'holds' : 'DOES NOT HOLD'}: ${promise}`, isBroken: !isHeld };
}

const figures: Record<string, number> = {};
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name}: ${bench.doc}`);
  for (const [figure, value] of Object.entries(await bench.run())) {
    figures[`${name}.${figure}`] = value;
    const { text, isBroken } = judge(bench, figure, value);
    console.log(`  ${figure.padEnd(36)} ${value.toLocaleString('en', { maximumSignificantDigits: 4 })}${text}`);
    if (isBroken) process.exitCode = 1;
  }
}

const folder = join(import.meta.dirname, 'results');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'latest.json'), `${JSON.stringify(figures, null, 2)}\n`);
console.log('\nwritten to bench/results/latest.json');
