import { setImmediate as turn } from 'node:timers/promises';
import PDFDocument from 'pdfkit';
import { accessColumns, accessToCells, lineToCells, type ReportContent, reportColumns, reportFacts } from './report.ts';

const marginPoints = 36;
const titleSize = 16;
const factSize = 8;
const lineSize = 6;
/** Between two records, of which each may take several lines. */
const recordGap = 2;
/** Of a character of Courier to its size, the same for all. */
const courierWidth = 0.6;
/** Records between two turns of the event loop: a long report takes seconds, and others are served meanwhile. */
const recordsATurn = 250;
/** The standard fonts of PDF know Latin-1 and the em dash of signed notes: what they lack is shown by its code point, not dropped. */
const beyondLatin1 = /[^\x20-\x7e\xa0-\xff\u2014]/gu;

export async function reportToPdf(content: ReportContent): Promise<Buffer> {
  const document = new PDFDocument({
    size: 'A4',
    layout: 'landscape',
    margin: marginPoints,
    info: {
      Title: reportFacts(content)[0]?.[1] ?? 'Report',
      Creator: 'Strongroom',
      CreationDate: new Date(content.createTime),
    },
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  for (const [name, value] of reportFacts(content)) {
    if (name === 'Report') {
      document.font('Helvetica-Bold').fontSize(titleSize).text(printable(value));
    } else {
      document
        .font('Helvetica-Bold')
        .fontSize(factSize)
        .text(`${printable(name)}: `, { continued: true });
      document.font(name === 'Checkpoint' ? 'Courier' : 'Helvetica').text(value.split('\n').map(printable).join('\n'));
    }
  }
  if (content.access) await writeTable(document, accessColumns, content.access.map(accessToCells));
  await writeTable(document, reportColumns, content.lines.map(lineToCells));
  document.end();
  return done;
}

async function writeTable(
  document: PDFKit.PDFDocument,
  columns: readonly string[],
  rows: readonly string[][],
): Promise<void> {
  document.moveDown().font('Courier-Bold').fontSize(lineSize);
  writeRecord(document, columns);
  document.font('Courier');
  for (const [at, cells] of rows.entries()) {
    if (at % recordsATurn === 0) await turn();
    writeRecord(document, cells);
  }
}

/** Broken by the number of characters: pdfkit would measure each word, which takes longer than everything else. */
function writeRecord(document: PDFKit.PDFDocument, cells: readonly string[]): void {
  const { page } = document;
  const charactersMax = Math.floor((page.width - 2 * marginPoints) / (lineSize * courierWidth));
  const text = printable(cells.join(' | '));
  const height = document.currentLineHeight(true);
  for (let at = 0; at < text.length; at += charactersMax) {
    if (document.y + height > page.height - marginPoints) document.addPage();
    const { y } = document;
    document.text(text.slice(at, at + charactersMax), marginPoints, y, { lineBreak: false });
    document.y = y + height;
  }
  document.y += recordGap;
}

function printable(text: string): string {
  return text.replace(beyondLatin1, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
