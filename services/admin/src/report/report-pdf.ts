import PDFDocument from 'pdfkit';
import { accessColumns, accessToCells, lineToCells, type ReportContent, reportColumns, reportFacts } from './report.ts';

const marginPoints = 36;
const titleSize = 16;
const factSize = 8;
const lineSize = 6;
/** What a page's width shows of one record; the whole of it stands in the log, under its sequence. */
const lineCharactersMax = 190;
/** The standard fonts of PDF know Latin-1 and the em dash of signed notes: what they lack is shown by its code point, not dropped. */
const beyondLatin1 = /[^\x20-\x7e\xa0-\xff\u2014]/gu;

export function reportToPdf(content: ReportContent): Promise<Buffer> {
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
  if (content.access) writeTable(document, accessColumns, content.access.map(accessToCells));
  writeTable(document, reportColumns, content.lines.map(lineToCells));
  document.end();
  return done;
}

function writeTable(document: PDFKit.PDFDocument, columns: readonly string[], rows: readonly string[][]): void {
  document.moveDown().font('Courier-Bold').fontSize(lineSize).text(columns.join(' | '));
  document.font('Courier');
  for (const cells of rows) {
    document.text(printable(cells.join(' | ')).slice(0, lineCharactersMax), { lineBreak: true });
  }
}

function printable(text: string): string {
  return text.replace(beyondLatin1, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
