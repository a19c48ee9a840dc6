import { type ReportContent, reportColumns, reportFacts, verdictOf } from './report.ts';

export function reportToJson(content: ReportContent): Buffer {
  const { evidence, lines, ...head } = content;
  const document = {
    ...head,
    control: verdictOf(content),
    complete: evidence.faults.length === 0,
    range: { first: evidence.firstSequence, last: evidence.lastSequence, records: evidence.recordCount },
    faults: evidence.faults,
    checkpoint: evidence.checkpoint,
    facts: reportFacts(content).map(([name, value]) => ({ name, value })),
    lines: lines.map((line) => Object.fromEntries(reportColumns.map((column) => [column, line[column]]))),
  };
  return Buffer.from(`${JSON.stringify(document, undefined, 1)}\n`, 'utf8');
}
