import { choiceOf, type EnumValues } from './words.ts';

/** What a form holds, by the names of its fields. */
export interface FormValues {
  /** Empty where there is nothing. */
  text(name: string): string;
  /** Undefined where there is nothing: for optional fields of a message. */
  optional(name: string): string | undefined;
  isChecked(name: string): boolean;
  /** The chosen value of a proto enum. */
  choice<Values extends EnumValues>(values: Values, name: string): Values[keyof Values] | undefined;
}

export function readForm(form: HTMLFormElement): FormValues {
  const data = new FormData(form);
  const text = (name: string) => {
    const value = data.get(name);
    return typeof value === 'string' ? value : '';
  };
  return {
    text,
    optional: (name) => text(name).trim() || undefined,
    isChecked: (name) => data.has(name),
    choice: (values, name) => choiceOf(values, text(name)),
  };
}
