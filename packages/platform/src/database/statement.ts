/** What a statement does, for metrics, spans and the slow-query log. Its values are never part of it. */
export interface StatementInfo {
  readonly action: 'select' | 'insert' | 'update' | 'delete' | 'other';
  readonly table: string;
  readonly isWrite: boolean;
  /** The text with placeholders, shortened. */
  readonly text: string;
}

const textLengthMax = 500;
const knownTextsMax = 1_000;
const tablesMax = 200;

const write =
  /\b(insert\s+into|update|delete\s+from|merge\s+into)\s+(?:only\s+)?((?:"?[a-z_][a-z0-9_$]*"?\.)?"?[a-z_][a-z0-9_$]*"?)/gi;
const read = /\bfrom\s+(?:only\s+)?((?:"?[a-z_][a-z0-9_$]*"?\.)?"?[a-z_][a-z0-9_$]*"?)/i;
/** Words that follow UPDATE without being a table: `for update of`, `on conflict do update set`. */
const noTable = /^(set|of|skip|nowait|on|where)$/i;

const tables = new Set<string>();
const ofTemplate = new WeakMap<readonly string[], StatementInfo>();
const ofText = new Map<string, StatementInfo>();

/** Templates are one object a place in the code, so each is read once. */
export function describeStatement(strings: readonly string[], isTemplate: boolean): StatementInfo {
  if (isTemplate) {
    let info = ofTemplate.get(strings);
    if (info === undefined) {
      info = readStatement(joinTemplate(strings));
      ofTemplate.set(strings, info);
    }
    return info;
  }
  const text = strings[0] ?? '';
  let info = ofText.get(text);
  if (info === undefined) {
    info = readStatement(text);
    if (ofText.size >= knownTextsMax) ofText.clear();
    ofText.set(text, info);
  }
  return info;
}

function joinTemplate(strings: readonly string[]): string {
  let text = strings[0] ?? '';
  for (let index = 1; index < strings.length; index += 1) text += `$${index}${strings[index]}`;
  return text;
}

function readStatement(raw: string): StatementInfo {
  const text = raw.replace(/\s+/g, ' ').trim();
  const short = text.slice(0, textLengthMax);
  for (const [, verb = '', name = ''] of text.matchAll(write)) {
    if (noTable.test(name)) continue;
    // The outbox row rides along in most writes: the statement is named after the other table.
    if (name.includes('outbox') && text.matchAll(write).toArray().length > 1) continue;
    const action = verb.slice(0, 6).toLowerCase();
    const kind = action === 'insert' || action === 'update' || action === 'delete' ? action : 'other';
    return { action: kind, table: tableLabel(name), isWrite: true, text: short };
  }
  const isRead = /^\(?\s*(select|with|values|table)\b/i.test(text);
  const table = read.exec(text)?.[1];
  return {
    action: isRead ? 'select' : 'other',
    table: table ? tableLabel(table) : 'none',
    isWrite: false,
    text: short,
  };
}

/** A label has few values: past the bound all others count together. */
function tableLabel(name: string): string {
  const plain = name.replaceAll('"', '').toLowerCase();
  if (!tables.has(plain) && tables.size >= tablesMax) return 'other';
  tables.add(plain);
  return plain;
}
