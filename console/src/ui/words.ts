/** A proto enum, as the generated code has it. */
export type EnumValues = Readonly<Record<string, number>>;

const abbreviations = new Set(['CSV', 'JSON', 'PDF']);

/** PARTIALLY_REFUNDED → Partially refunded; abbreviations stay as they are. */
export function inWords(constant: string): string {
  const words = constant.split('_').map((word) => (abbreviations.has(word) ? word : word.toLowerCase()));
  const text = words.join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Who acted: a kind of actor, or the name of one, which is spelt as it is. */
export function actorInWords(actor: string): string {
  return actor === 'psp' ? 'Provider' : actor.charAt(0).toUpperCase() + actor.slice(1);
}

/** The name of a value; that of the first one, UNSPECIFIED, for a value that is newer than this console. */
export function enumName(values: EnumValues, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? 'UNSPECIFIED';
}

export function enumInWords(values: EnumValues, value: number): string {
  return inWords(enumName(values, value));
}

/** The values that a person may choose, as [value, words]. */
export function choicesOf(values: EnumValues): [number, string][] {
  return Object.entries(values)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => [value, inWords(name)]);
}

/** The value that a form has sent as text; undefined for none. */
export function choiceOf<Values extends EnumValues>(values: Values, text: string): Values[keyof Values] | undefined {
  return Object.values(values).find((value): value is Values[keyof Values] => value !== 0 && String(value) === text);
}
