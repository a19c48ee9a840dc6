import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { useMutation, useQuery } from '@connectrpc/connect-query';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { usePreferences } from '../account/use-preferences.ts';
import { invalidate } from '../api/invalidate.ts';
import { AmountField, CurrencyChoice } from '../money/amount-fields.tsx';
import { parseMoney } from '../money/money.ts';
import { useTimeZone } from '../time/time-zone.tsx';
import { instantOf } from '../time/zone.ts';
import { Choice, Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Page } from '../ui/page.tsx';
import { choiceOf, choicesOf } from '../ui/words.ts';
import { methodName } from './method-name.ts';
import { rememberAct } from './own-acts.ts';
import { ScheduleFields } from './schedule-fields.tsx';
import { useAttemptKey } from './use-attempt-key.ts';

export function NewPaymentPage() {
  const [, navigate] = useLocation();
  const [type, setType] = useState<PaymentType>(PaymentType.INSTANT);
  const { currency } = usePreferences();
  const keyOf = useAttemptKey();
  const zone = useTimeZone();
  const create = useMutation(PaymentsService.method.createPayment, {
    onSuccess({ payment, auditEventId }) {
      if (payment !== undefined) rememberAct(payment.id, { what: 'Created', eventId: auditEventId });
      void invalidate(PaymentsService.method.listPayments, PaymentsService.method.getBalances);
      navigate(`/payments/${payment?.id}`);
    },
  });
  const submit = (values: FormValues) => {
    const content = paymentOf(values, type, zone);
    const key = keyOf(JSON.stringify(content, (_name, value) => (typeof value === 'bigint' ? String(value) : value)));
    create.mutate({ ...content, requestId: key });
  };
  return (
    <Page title="New payment">
      <Form
        className="card"
        submitLabel={type === PaymentType.INSTANT ? 'Pay' : 'Schedule payment'}
        isPending={create.isPending}
        error={create.error}
        onSubmit={submit}
      >
        <Field name="recipient_email" label="Recipient’s e-mail address" type="email" autoComplete="off" required />
        <div className="columns">
          <AmountField />
          <CurrencyChoice key={currency} defaultValue={currency || 'EUR'} />
        </div>
        <Field name="description" label="Description" autoComplete="off" required maxLength={500} />
        <PaymentMethodChoice />
        <Choice
          name="type"
          label="When"
          value={type}
          onChange={(event) => setType(choiceOf(PaymentType, event.target.value) ?? type)}
        >
          {choicesOf(PaymentType).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </Choice>
        {type !== PaymentType.INSTANT && <ScheduleFields isRecurring={type === PaymentType.RECURRING} />}
      </Form>
    </Page>
  );
}

function PaymentMethodChoice() {
  const { data } = useQuery(PaymentsService.method.listPaymentMethods, { pageSize: 100 });
  return (
    <Choice name="payment_method_id" label="Payment method">
      <option value="">The provider’s default</option>
      {data?.paymentMethods.map((method) => (
        <option key={method.id} value={method.id}>
          {methodName(method)}
        </option>
      ))}
    </Choice>
  );
}

function paymentOf(values: FormValues, type: PaymentType, zone: string) {
  const currencyCode = values.text('amount.currency_code');
  const due = values.optional('scheduled_at');
  return {
    type,
    // What is no amount goes out as 0, which the server refuses at the field.
    amount: { currencyCode, minorUnits: parseMoney(values.text('amount.minor_units'), currencyCode) ?? 0n },
    recipientEmail: values.text('recipient_email').trim(),
    description: values.text('description'),
    paymentMethodId: values.optional('payment_method_id'),
    scheduledAt: due === undefined ? undefined : timestampFromDate(instantOf(due, zone)),
    recurrence: values.optional('recurrence'),
    timeZone: values.optional('time_zone'),
  };
}
