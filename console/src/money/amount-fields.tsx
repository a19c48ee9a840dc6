import { Choice, Field } from '../ui/field.tsx';
import { commonCurrencies, currencyCodes } from './money.ts';

export function AmountField({
  name = 'amount.minor_units',
  ...input
}: {
  name?: string;
  defaultValue?: string;
  hint?: string;
}) {
  return (
    <Field
      name={name}
      label="Amount"
      inputMode="decimal"
      autoComplete="off"
      pattern="[0-9]+([.,][0-9]+)?"
      refusal="Must be above zero, within the limit, and have no more decimals than the currency."
      title="A number such as 12.50"
      placeholder="12.50"
      required
      {...input}
    />
  );
}

interface CurrencyChoiceProps {
  readonly name?: string;
  readonly defaultValue: string;
  /** First in the list, where none may be chosen. */
  readonly none?: string;
}

export function CurrencyChoice({ name = 'amount.currency_code', defaultValue, none }: CurrencyChoiceProps) {
  return (
    <Choice name={name} label="Currency" defaultValue={defaultValue}>
      {none !== undefined && <option value="">{none}</option>}
      {[...commonCurrencies, ...currencyCodes].map((code) => (
        <option key={code}>{code}</option>
      ))}
    </Choice>
  );
}
