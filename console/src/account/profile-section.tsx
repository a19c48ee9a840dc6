import { useMutation, useQuery } from '@connectrpc/connect-query';
import type { Profile } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { invalidate } from '../api/invalidate.ts';
import { Field, TextField } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Form } from '../ui/form.tsx';
import type { FormValues } from '../ui/form-values.ts';
import { Listing } from '../ui/listing.tsx';
import { Section } from '../ui/page.tsx';
import { AvatarForm } from './avatar-form.tsx';

const { getProfile, updateProfile } = ProfileService.method;

export function ProfileSection() {
  const query = useQuery(getProfile);
  return (
    <Section title="Profile">
      <Listing what="your profile" query={query}>
        {({ profile }) => (
          <>
            <AvatarForm avatarUrl={profile?.avatarUrl ?? ''} userId={profile?.userId ?? ''} />
            <ProfileForm profile={profile} />
          </>
        )}
      </Listing>
    </Section>
  );
}

function ProfileForm({ profile }: { profile: Profile | undefined }) {
  const update = useMutation(updateProfile, { onSuccess: () => invalidate(getProfile) });
  return (
    <>
      <Form
        // Another version is another form: what was typed into the one before was saved, or is out of date.
        key={profile?.etag}
        submitLabel="Save the profile"
        isPending={update.isPending}
        error={update.error}
        onSubmit={(values) => update.mutate(changesOf(values, profile))}
      >
        <div className="columns">
          <Field
            name="profile.phone"
            label="Telephone"
            type="tel"
            autoComplete="tel"
            placeholder="+4915112345678"
            defaultValue={profile?.phone}
            maxLength={20}
          />
          <Field
            name="profile.date_of_birth"
            label="Date of birth"
            type="date"
            autoComplete="bday"
            defaultValue={profile?.dateOfBirth}
          />
          <Field
            name="profile.tax_id"
            label="Tax id"
            autoComplete="off"
            placeholder={profile?.taxId}
            hint={profile?.taxId ? 'Left empty, it stays as it is.' : undefined}
            maxLength={50}
          />
        </div>
        <Field
          name="profile.address"
          label="Postal address"
          autoComplete="street-address"
          defaultValue={profile?.address}
          maxLength={500}
        />
        <TextField name="profile.bio" label="About you" defaultValue={profile?.bio} rows={3} maxLength={1000} />
      </Form>
      <Flash message={update.isSuccess ? 'The profile is saved.' : undefined} />
    </>
  );
}

/** The tax id is read masked, so it goes out only where a new one was typed. */
function changesOf(values: FormValues, profile: Profile | undefined) {
  const taxId = values.optional('profile.tax_id');
  const paths = ['phone', 'date_of_birth', 'address', 'bio', ...(taxId === undefined ? [] : ['tax_id'])];
  return {
    profile: {
      phone: values.text('profile.phone').trim(),
      dateOfBirth: values.text('profile.date_of_birth'),
      address: values.text('profile.address'),
      bio: values.text('profile.bio'),
      taxId,
    },
    updateMask: { paths },
    etag: profile?.etag,
  };
}
