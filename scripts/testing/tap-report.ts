import { createRequire } from 'node:module';
import { relative } from 'node:path';
import type { Readable } from 'node:stream';
import pc from 'picocolors';
import { repositoryRoot } from '../database/migrations.ts';

/** The part of tap-parser that is used here; it comes with tap. */
interface TapResult {
  readonly ok: boolean;
  readonly fullname: string;
  readonly name: string;
  readonly skip: boolean | string;
  readonly todo: boolean | string;
  readonly time: number | null;
  readonly diag: Record<string, unknown> | null;
}
interface TapParser extends NodeJS.WritableStream {
  on(event: 'result', listener: (result: TapResult) => void): this;
  on(event: 'assert', listener: (result: TapResult) => void): this;
  on(event: 'bailout', listener: (reason: string) => void): this;
  on(event: 'finish', listener: () => void): this;
}

export interface TapSummary {
  passed: number;
  failed: number;
  skipped: number;
  /** Files that ended without a single test: a typing error in a file's pattern must not look like success. */
  emptyFiles: string[];
  files: number;
}

const diagnosticLinesMax = 60;
/** What tap calls a file that ended without having tested anything. */
const noTests = 'no tests found';

/** Reads tap's stream, prints a line for each file and every failure in full, and counts. */
export function reportTap(stream: Readable, print: (line: string) => void): Promise<TapSummary> {
  const summary: TapSummary = { passed: 0, failed: 0, skipped: 0, emptyFiles: [], files: 0 };
  const parser = createParser();
  let file = { passed: 0, failed: 0, skipped: 0 };
  // Every assertion at any depth, but not the points that only close a subtest.
  parser.on('result', (result) => {
    // The file's own point is told once, below.
    if (result.skip === noTests || result.fullname === result.name) return;
    if (result.skip || result.todo) {
      file.skipped += 1;
      print(`${pc.yellow('-')} ${result.fullname} (skipped)`);
    } else if (result.ok) file.passed += 1;
    else {
      file.failed += 1;
      printFailure(result, print);
    }
  });
  // The point of a file comes right after what it holds: tap buffers each file until it is complete.
  parser.on('assert', (point) => {
    const empty = file.passed + file.failed === 0 && point.ok;
    if (empty) summary.emptyFiles.push(point.name);
    // Crashed, timed out or exited with a code of its own although its assertions held.
    if (!point.ok && file.failed === 0) {
      file.failed = 1;
      printFailure(point, print);
    }
    summary.files += 1;
    summary.passed += file.passed;
    summary.failed += file.failed;
    summary.skipped += file.skipped;
    print(fileLine(point, file, empty));
    file = { passed: 0, failed: 0, skipped: 0 };
  });
  parser.on('bailout', (reason) => print(pc.red(`tap bailed out: ${reason}`)));
  return new Promise((resolve, reject) => {
    parser.on('finish', () => resolve(summary));
    stream.on('error', reject);
    stream.pipe(parser);
  });
}

function fileLine(point: TapResult, counts: { passed: number; failed: number }, empty: boolean): string {
  const time = pc.dim(`${Math.round(point.time ?? 0)} ms`);
  if (empty) return `${pc.red('✖')} ${point.name}  ${pc.red('no tests')} ${time}`;
  if (counts.failed === 0 && point.ok) return `${pc.green('✔')} ${point.name}  ${counts.passed} passed ${time}`;
  return `${pc.red('✖')} ${point.name}  ${counts.passed} passed, ${pc.red(`${counts.failed} failed`)} ${time}`;
}

function createParser(): TapParser {
  const fromTap = createRequire(createRequire(import.meta.url).resolve('tap'));
  const { Parser } = fromTap('tap-parser') as { Parser: new () => TapParser };
  return new Parser();
}

/** Reads what one file prints by itself: each of its tests, and every failure in full. Those left out by TAP_GREP aren't told. */
export function readTests(stream: Readable, onTest: (title: string, hasHeld: boolean) => void): Promise<void> {
  const parser = createParser();
  parser.on('result', (result) => {
    if (!result.ok) printFailure(result, console.log);
  });
  parser.on('assert', ({ name, ok, skip }) => {
    if (!skip) onTest(name, ok);
  });
  return new Promise((resolve, reject) => {
    parser.on('finish', resolve);
    stream.on('error', reject);
    stream.pipe(parser);
  });
}

function printFailure(result: TapResult, print: (line: string) => void): void {
  print(`${pc.red('✖')} ${pc.bold(result.fullname || result.name)}`);
  const { diag } = result;
  if (diag === null) return;
  const at = diag['at'] as { fileName?: string; lineNumber?: number; columnNumber?: number } | undefined;
  if (at?.fileName) {
    const file = at.fileName.replace(/^file:\/\//, '');
    print(
      pc.dim(
        `    at ${file.startsWith('/') ? relative(repositoryRoot, file) : file}:${at.lineNumber}:${at.columnNumber}`,
      ),
    );
  }
  for (const field of ['error', 'code', 'diff', 'doNotWant', 'pattern', 'signal', 'exitCode', 'stack']) {
    const value = diag[field];
    if (value === undefined || value === null || value === '') continue;
    const lines = (typeof value === 'string' ? value : JSON.stringify(value)).trimEnd().split('\n');
    const [first = '', ...rest] = lines.slice(0, diagnosticLinesMax);
    if (lines.length === 1) print(`    ${field}: ${first}`);
    else print([`    ${field}:`, ...[first, ...rest].map((line) => `      ${line}`)].join('\n'));
  }
  if (diag['diff'] === undefined && ('wanted' in diag || 'found' in diag || 'expected' in diag)) {
    print(`    found: ${JSON.stringify(diag['found'] ?? diag['actual'])}`);
    print(`    wanted: ${JSON.stringify(diag['wanted'] ?? diag['expected'])}`);
  }
}
