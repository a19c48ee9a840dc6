// The rules of the house that a machine can check (docs/HACKING.md).
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { isTest, sourceFiles } from './source-files.ts';

const fileLinesMax = 400;
const functionLinesMax = 70;
/** A factory is the scope of the functions in it, each of which is counted by itself. */
const factoryLinesMax = 160;

const files = sourceFiles();
const product = files.filter(({ path }) => !isTest(path) && /^(packages|services|gateway|console)\//.test(path));

/** Places that read the environment: configuration, processes' entry points, and what starts them. */
const readsEnvironment =
  /^(packages\/platform\/src\/config\/|packages\/testkit\/|scripts\/|bench\/|(services\/[a-z]+|gateway)\/src\/(main|config)\.ts)/;
/** Commands that are run by hand. */
const commands = /(-cli|\/audit-export|\/replay-parked)\.ts$/;
/** Standalone programs without the platform: they have a configuration of their own. */
const standalone =
  /^packages\/(tlog\/src\/witness\/main|psp-sandbox\/src\/(main|config)|platform\/src\/telemetry\/register|platform\/src\/process\/failpoint)/;

t.test('house: a file fits a reader, and a function a screen', (t) => {
  for (const { path, lines } of files) {
    t.ok(lines.length <= fileLinesMax, `${path} has ${lines.length} lines, at most ${fileLinesMax}`);
  }
  for (const { path, lines } of product) {
    for (const { name, length } of functions(lines)) {
      const linesMax = name.startsWith('create') ? factoryLinesMax : functionLinesMax;
      t.ok(length <= linesMax, `${path}: ${name} has ${length} lines, at most ${linesMax}`);
    }
  }
  t.end();
});

t.test('house: nothing is left undone, and no test is skipped', (t) => {
  for (const { path, text } of files) {
    if (path.startsWith('tests/house/')) continue;
    t.notMatch(text, /\b(TODO|FIXME|XXX|HACK)\b/, `${path} leaves nothing undone`);
    if (isTest(path)) t.notMatch(text, /\.(skip|only|todo)\(|skip: *true|\bt\.pass\(/, `${path} skips nothing`);
    t.notMatch(text, /^export default/m, `${path} has no default export`);
  }
  t.end();
});

t.test('house: the environment is read by configuration alone', (t) => {
  for (const { path, text } of product) {
    if (readsEnvironment.test(path) || standalone.test(path) || commands.test(path)) continue;
    t.notMatch(text, /process\.env/, `${path} doesn't read the environment`);
  }
  t.end();
});

t.test('house: imports go one way', (t) => {
  const forbidden: [RegExp, RegExp][] = [
    [/^gen\//, /./],
    [/^packages\/platform\//, /@strongroom\/(?!gen)|(services|gateway)\//],
    [/^packages\/(rest|tlog|psp-sandbox)\//, /@strongroom\/|(services|gateway|packages)\//],
    [/^(services|gateway)\//, /@strongroom\/(auth|payments|profile|admin|gateway|testkit|psp-sandbox)\b/],
  ];
  for (const { path, text } of product) {
    for (const imported of text.matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gm)) {
      const target = imported[1] ?? '';
      const absolute = target.startsWith('.') ? normalize(join(dirname(path), target)) : target;
      for (const [from, to] of forbidden) {
        if (!from.test(path)) continue;
        const own = path
          .split('/')
          .slice(0, path.startsWith('gateway') ? 1 : 2)
          .join('/');
        t.notOk(to.test(absolute) && !absolute.startsWith(own), `${path} imports ${absolute}`);
      }
    }
  }
  t.end();
});

t.test('house: names say what a thing is', (t) => {
  for (const { path, text } of product) {
    t.notMatch(
      text,
      /^\s*(?:export )?(class|interface|type|function|const) \w*(Manager|Helper|Util|Utils)\b(?!,)/m,
      `${path} has no vague names`,
    );
    t.notMatch(path, /(helper|util|manager)s?\.ts$/, `${path} is named after what it holds`);
  }
  t.end();
});

/** Functions with a body of several lines, by their indentation: the formatter makes that exact. */
function* functions(lines: string[]): Generator<{ name: string; length: number }> {
  for (const [start, line] of lines.entries()) {
    const head = /^( *)(?:export )?(?:async )?function\*? (\w+)/.exec(line);
    if (!head) continue;
    const end = lines.findIndex((candidate, index) => index > start && candidate === `${head[1]}}`);
    if (end > start) yield { name: head[2] ?? '', length: end - start + 1 };
  }
}
