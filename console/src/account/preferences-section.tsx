import { useMutation, useQuery } from '@connectrpc/connect-query';
import type { Preferences } from '@strongroom/gen/strongroom/profile/v1/preferences_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { CurrencyChoice } from '../money/amount-fields.tsx';
import { ZoneChoice } from '../time/zone-choice.tsx';
import { Checkbox, Choice, Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Listing } from '../ui/listing.tsx';
import { Section } from '../ui/page.tsx';

const { getPreferences, updatePreferences } = ProfileService.method;

export function PreferencesSection() {
  const query = useQuery(getPreferences);
  return (
    <Section title="Preferences">
      <Listing what="preferences" query={query}>
        {({ preferences }) => <PreferencesForm preferences={preferences} />}
      </Listing>
    </Section>
  );
}

function PreferencesForm({ preferences }: { preferences: Preferences | undefined }) {
  const update = useMutation(updatePreferences, {
    onSuccess: () => invalidate(getPreferences),
  });
  const { email, push, sms } = preferences?.notifications ?? {};
  return (
    <>
      <Form
        submitLabel="Save"
        isPending={update.isPending}
        error={update.error}
        onSubmit={(values) => update.mutate({ preferences: preferencesOf(values) })}
      >
        <div className="columns">
          <Choice name="preferences.theme" label="Theme" defaultValue={preferences?.theme ?? 'system'}>
            <option value="system">As the device</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </Choice>
          <Field
            name="preferences.language"
            label="Language"
            defaultValue={preferences?.language}
            placeholder="en"
            maxLength={35}
          />
          <CurrencyChoice
            name="preferences.currency"
            defaultValue={preferences?.currency ?? ''}
            none={preferences?.currency === undefined ? 'None' : undefined}
          />
          <ZoneChoice name="preferences.time_zone" label="Time zone" chosen={preferences?.timeZone} />
        </div>
        <fieldset>
          <legend>Notices (those about security are always sent)</legend>
          <Checkbox name="email" label="E-mail" defaultChecked={email} />
          <Checkbox name="push" label="Push" defaultChecked={push} />
          <Checkbox name="sms" label="SMS" defaultChecked={sms} />
        </fieldset>
      </Form>
      <Flash message={update.isSuccess ? 'Saved.' : undefined} />
    </>
  );
}

function preferencesOf(values: FormValues) {
  return {
    theme: values.text('preferences.theme'),
    language: values.optional('preferences.language'),
    currency: values.optional('preferences.currency'),
    timeZone: values.optional('preferences.time_zone'),
    notifications: { email: values.isChecked('email'), push: values.isChecked('push'), sms: values.isChecked('sms') },
  };
}
