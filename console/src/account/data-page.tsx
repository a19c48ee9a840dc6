import { createClient } from '@connectrpc/connect';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { closeSession } from '../session/session-store.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { downloadFile } from '../ui/download.ts';
import { Field } from '../ui/field.tsx';
import { Flash } from '../ui/flash.tsx';
import { Page, Section } from '../ui/page.tsx';
import { AccountTabs } from './account-tabs.tsx';

const profiles = createClient(ProfileService, transport);
/** What must be typed; the contract takes this word and no other. */
const eraseWord = 'erase';

/** What is held about a person, to take along or to end (GDPR articles 15, 17 and 20). */
export function DataPage() {
  return (
    <Page title="Your data">
      <AccountTabs />
      <ExportSection />
      <Section title="Erase">
        <p>
          Your account, your profile and everything personal are erased permanently, in every part of this system. What
          was paid stays in the books, without your name.
        </p>
        <ConfirmButton
          label="Erase my data"
          title="Erase everything about you"
          confirmLabel="Erase permanently"
          act={async (values) => {
            await profiles.eraseMe({ confirmation: values.text('confirmation') });
            closeSession('Your data are being erased. Nobody can sign in to this account any more.');
          }}
        >
          <p>You are signed out everywhere, and nobody can bring the account back. This can’t be undone.</p>
          <Field
            name="confirmation"
            label={`Type “${eraseWord}” to confirm`}
            autoComplete="off"
            pattern={eraseWord}
            spellCheck={false}
            required
          />
        </ConfirmButton>
      </Section>
    </Page>
  );
}

function ExportSection() {
  const download = useMutation({
    mutationFn: async () => {
      const { export: file } = await profiles.exportMyData({});
      downloadFile(
        'strongroom-my-data.json',
        Uint8Array.from(file?.data ?? []),
        file?.contentType ?? 'application/json',
      );
    },
  });
  return (
    <Section title="Export">
      <p>Everything this system holds about you, as one JSON file. You are asked to confirm that it’s you first.</p>
      <ErrorNotice error={download.error} />
      <button type="button" className="primary" disabled={download.isPending} onClick={() => download.mutate()}>
        {download.isPending ? 'Please wait…' : 'Export my data'}
      </button>
      <Flash message={download.isSuccess ? 'The file is in your downloads.' : undefined} />
    </Section>
  );
}
