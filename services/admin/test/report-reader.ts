import { getDocumentProxy } from 'unpdf';

/** A report as a reader has it, whatever its format. */
export interface ReadReport {
  readonly facts: ReadonlyMap<string, string>;
  /** The cells of each line that follows the heads of the columns. */
  holds(heads: readonly string[], rows: readonly (readonly string[])[]): boolean;
}

export function readCsv(bytes: Uint8Array): ReadReport {
  const table = parseCsv(Buffer.from(bytes).toString('utf8'));
  return {
    facts: new Map(
      table
        .slice(
          0,
          table.findIndex(([name]) => name === ''),
        )
        .map(([name = '', value = '']) => [name, value]),
    ),
    holds(heads, rows) {
      const at = table.findIndex((cells) => isSame(cells, heads));
      const end = table.findIndex((cells, row) => row > at && isSame(cells, ['']));
      return at >= 0 && isSame(table.slice(at + 1, end < 0 ? undefined : end), rows);
    },
  };
}

export function readJson(bytes: Uint8Array): ReadReport {
  const document = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const asText = (value: unknown) =>
    typeof value === 'object'
      ? Object.entries(value as Record<string, string>)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, text]) => `${name}=${text}`)
          .join('; ')
      : String(value);
  return {
    facts: new Map(document.facts.map(({ name, value }: Record<string, string>) => [name, value])),
    holds(heads, rows) {
      const objects: Record<string, unknown>[] = heads[0] === 'sequence' ? document.lines : document.access;
      return isSame(
        objects.map((object) => heads.map((head) => asText(object[head]))),
        rows,
      );
    },
  };
}

/** What is written on its pages, whitespace apart: where a line is broken is the page's affair. Throws for text beyond one. */
export async function readPdf(bytes: Uint8Array): Promise<ReadReport> {
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
  const texts: string[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const [, , width = 0] = page.view;
    for (const item of (await page.getTextContent()).items) {
      if (!('str' in item)) continue;
      if (item.transform[4] + item.width > width) throw new Error(`beyond the edge of page ${number}: ${item.str}`);
      texts.push(item.str);
    }
  }
  await document.loadingTask.destroy();
  const all = withoutSpace(texts.join(''));
  return {
    facts: factsOfText(texts),
    holds: (heads, rows) =>
      all.includes(withoutSpace([heads, ...rows].map((cells) => cells.map(printable).join('|')).join(''))),
  };
}

/** Each fact is its name in one run of text, and the runs up to the next name. */
function factsOfText(texts: readonly string[]): Map<string, string> {
  const facts = new Map<string, string>();
  let name = '';
  for (const text of texts) {
    const named = /^([A-Z][A-Za-z_ ]*):$/.exec(text)?.[1];
    if (named !== undefined) name = named;
    facts.set(name, named === undefined ? `${facts.get(name) ?? ''}${text}`.trimStart() : '');
  }
  return facts;
}

/** What the fonts of the page lack stands there by its code point. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\xff\u2014]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

export function withoutSpace(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (const [line] of text.matchAll(/(?:"(?:[^"]|"")*"|[^"\r\n])*\r\n/g)) {
    const cells = [...line.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
    rows.push(cells.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain));
  }
  return rows;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
