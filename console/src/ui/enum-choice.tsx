import { Choice } from './field.tsx';
import { choicesOf, type EnumValues } from './words.ts';

interface EnumChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly values: EnumValues;
  /** First in the list, for a filter that may be left open. */
  readonly none?: string;
  readonly defaultValue?: number;
}

/** The values of a proto enum, in words. */
export function EnumChoice({ name, label, values, none, defaultValue }: EnumChoiceProps) {
  return (
    <Choice name={name} label={label} defaultValue={defaultValue}>
      {none !== undefined && <option value="">{none}</option>}
      {choicesOf(values).map(([value, words]) => (
        <option key={value} value={value}>
          {words}
        </option>
      ))}
    </Choice>
  );
}
