import type { MessageInitShape } from '@bufbuild/protobuf';
import type { AddPaymentMethodRequestSchema } from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { useState } from 'react';
import { Choice, Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Section } from '../ui/page.tsx';

type Method = MessageInitShape<typeof AddPaymentMethodRequestSchema>['method'];

interface Props {
  readonly isPending: boolean;
  readonly error: unknown;
  add(method: Method): Promise<unknown>;
}

/** The one place that takes a card number; the form forgets it as soon as it is sent and accepted. */
export function AddPaymentMethod({ add, isPending, error }: Props) {
  const [kind, setKind] = useState<'card' | 'bankAccount'>('card');
  const submit = (values: FormValues, form: HTMLFormElement) => {
    add(kind === 'card' ? cardOf(values) : bankAccountOf(values)).then(
      () => form.reset(),
      // Shown by the form, as the mutation's error.
      () => undefined,
    );
  };
  return (
    <Section title="Add a payment method">
      <Form submitLabel="Add" isPending={isPending} error={error} onSubmit={submit}>
        <Choice name="kind" label="Kind" value={kind} onChange={(event) => setKind(event.target.value as typeof kind)}>
          <option value="card">Card</option>
          <option value="bankAccount">Bank account</option>
        </Choice>
        {kind === 'card' ? <CardFields /> : <BankAccountFields />}
      </Form>
    </Section>
  );
}

function CardFields() {
  return (
    <>
      <Field
        name="card.number"
        label="Card number"
        inputMode="numeric"
        autoComplete="cc-number"
        required
        maxLength={23}
      />
      <div className="columns columns-small">
        <Field
          name="card.exp_month"
          label="Month"
          inputMode="numeric"
          autoComplete="cc-exp-month"
          placeholder="MM"
          required
          maxLength={2}
        />
        <Field
          name="card.exp_year"
          label="Year"
          inputMode="numeric"
          autoComplete="cc-exp-year"
          placeholder="YYYY"
          required
          maxLength={4}
        />
        <Field
          name="card.cvc"
          label="CVC"
          type="password"
          inputMode="numeric"
          autoComplete="cc-csc"
          required
          maxLength={4}
        />
      </div>
    </>
  );
}

function BankAccountFields() {
  return (
    <>
      <Field name="bank_account.iban" label="IBAN" autoComplete="off" spellCheck={false} required maxLength={42} />
      <Field name="bank_account.holder_name" label="Account holder" autoComplete="name" required maxLength={255} />
    </>
  );
}

function cardOf(values: FormValues): Method {
  return {
    case: 'card',
    value: {
      number: values.text('card.number').replaceAll(' ', ''),
      expMonth: Number(values.text('card.exp_month')),
      expYear: Number(values.text('card.exp_year')),
      cvc: values.text('card.cvc'),
    },
  };
}

function bankAccountOf(values: FormValues): Method {
  return {
    case: 'bankAccount',
    value: {
      iban: values.text('bank_account.iban').replaceAll(' ', ''),
      holderName: values.text('bank_account.holder_name'),
    },
  };
}
