import { stringify } from 'csv-stringify/sync';
import { accessColumns, accessToCells, lineToCells, type ReportContent, reportColumns, reportFacts } from './report.ts';

/**
 * RFC 4180. Cells that a spreadsheet would take for a formula get an apostrophe before them: what stands in the log can come
 * from anybody (OWASP, CSV injection).
 */
export function reportToCsv(content: ReportContent): Buffer {
  const access = content.access ? [[...accessColumns], ...content.access.map(accessToCells), []] : [];
  const rows = [...reportFacts(content), [], ...access, [...reportColumns], ...content.lines.map(lineToCells)];
  // Left to itself it quotes a cell for a whole CRLF alone, and most readers end a row at either half of one.
  const options = { escape_formulas: true, record_delimiter: 'windows', quoted_match: /[\r\n]/ } as const;
  return Buffer.from(stringify(rows, options), 'utf8');
}
