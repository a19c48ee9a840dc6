import { TextTreatment } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import sanitizeHtml from 'sanitize-html';

/** C0 and C1 controls but tab, line feed and carriage return; and the code points that are never characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE_PATTERN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/g;
/** Browsers ignore tabs and line breaks inside of a scheme (WHATWG URL, basic URL parser, step 3). */
const SCRIPT_SCHEME_PATTERN = new RegExp(
  `(?:${['javascript', 'vbscript'].map((scheme) => [...scheme].join('[\\t\\r\\n]*')).join('|')})[\\t\\r\\n]*:`,
  'giu',
);
/** Stands for an ampersand while sanitize-html works. No text holds it: UNPRINTABLE_PATTERN has removed it. */
const AMPERSAND_MARK = '\ufdd0';
/** Taking a tag out can join the text around it to another tag; each round takes at least one more. */
const ROUNDS_MAX = 16;

/** What a treatment does to a text; undefined for texts that stay exactly as they are. */
export function textTreatment(treatment: TextTreatment): ((text: string) => string) | undefined {
  switch (treatment) {
    case TextTreatment.SANITIZE:
      return sanitizeText;
    case TextTreatment.NORMALIZE:
      return normalizeText;
    case TextTreatment.EMAIL:
      return (text) => normalizeText(text).toLowerCase();
    case TextTreatment.CODE:
      return (text) => text.trim().toUpperCase();
    default:
      return undefined;
  }
}

/** NFC and trimmed; lone surrogates, which no encoding of the text can hold, become U+FFFD. */
export function normalizeText(text: string): string {
  return text.toWellFormed().normalize('NFC').trim();
}

/** Text without markup. Text that only looks a little like markup ("5 < 6 & 7 > 2") comes back as it was (S2.2). */
export function sanitizeText(text: string): string {
  let clean = normalizeText(text).replace(UNPRINTABLE_PATTERN, '');
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = clean;
    // The parser may cut an unfinished tag in the middle of a surrogate pair.
    clean = withoutMarkup(clean).toWellFormed().replace(SCRIPT_SCHEME_PATTERN, '');
    if (clean === before) return clean.normalize('NFC').trim();
  }
  // Nested deeper than anyone writes by accident: without a < there is no tag.
  return clean.replaceAll('<', '').replace(SCRIPT_SCHEME_PATTERN, '').normalize('NFC').trim();
}

/**
 * sanitize-html answers with HTML, in which < and > are entities. They are turned back here, which is exact only because
 * the ampersands of the text itself are out of the way.
 */
function withoutMarkup(text: string): string {
  if (!text.includes('<')) return text;
  const html = sanitizeHtml(text.replaceAll('&', AMPERSAND_MARK), {
    allowedTags: [],
    allowedAttributes: {},
    disallowedTagsMode: 'discard',
    parser: { decodeEntities: false },
  });
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll(AMPERSAND_MARK, '&');
}
