import { createClient } from '@connectrpc/connect';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearch } from 'wouter';
import { transport } from '../api/transport.ts';
import { useClaims } from '../session/session-store.ts';
import { downloadFile } from '../ui/download.ts';
import { Field, TextField } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Page, Section } from '../ui/page.tsx';
import { keepTrustedKeys, linesOf, readTrustedKeys } from './trusted-keys.ts';
import { VerdictNotice } from './verdict-notice.tsx';
import { verifyReceipt } from './verify-receipt.ts';

const admin = createClient(AdminService, transport);

export function ProofPage() {
  const sequence = new URLSearchParams(useSearch()).get('sequence') ?? '';
  const isAdmin = useClaims()?.role === 'ADMIN';
  const [receipt, setReceipt] = useState('');
  const fetching = useMutation({
    mutationFn: async (number: string) =>
      setReceipt((await admin.getInclusionProof({ sequence: BigInt(number) })).tlogProof),
  });
  return (
    <Page title="Proof check">
      <p>
        This browser checks that a record stands in the log as it was written: it hashes the record up to the root of
        the tree, and checks the signatures under that root. The server is not asked whether it is right.
      </p>
      {isAdmin && (
        <Section title="Receipt">
          <Form
            submitLabel="Get the receipt"
            isPending={fetching.isPending}
            error={fetching.error}
            onSubmit={(values) => fetching.mutate(values.text('sequence'))}
          >
            <Field
              key={sequence}
              name="sequence"
              label="Number of the event"
              inputMode="numeric"
              pattern="[0-9]{1,16}"
              defaultValue={sequence}
              required
            />
          </Form>
          {receipt !== '' && (
            <p>
              <button
                type="button"
                onClick={() => downloadFile(`event-${fetching.variables ?? ''}.tlog-proof`, receipt, 'text/plain')}
              >
                Download the receipt
              </button>
            </p>
          )}
        </Section>
      )}
      <CheckSection receipt={receipt} onReceipt={setReceipt} />
    </Page>
  );
}

function CheckSection({ receipt, onReceipt }: { receipt: string; onReceipt(text: string): void }) {
  const check = useMutation({
    mutationFn: async (keys: string) => {
      keepTrustedKeys(keys);
      return verifyReceipt(receipt, linesOf(keys));
    },
  });
  const change = (text: string) => {
    check.reset();
    onReceipt(text);
  };
  return (
    <Section title="Check">
      <Form
        submitLabel="Verify"
        isPending={check.isPending}
        error={check.error}
        onSubmit={(values) => check.mutate(values.text('keys'))}
      >
        <TextField
          name="keys"
          label="Keys that you trust, one a line"
          hint="Of the log and of its witnesses, from whoever runs them and not from the log’s own server: .data/audit-log.key.pub and .data/witness/verifier-key.txt. This browser remembers them."
          defaultValue={readTrustedKeys()}
          rows={3}
          spellCheck={false}
          required
        />
        <TextField
          name="receipt"
          label="Receipt"
          hint="What a .tlog-proof file holds."
          value={receipt}
          onChange={(event) => change(event.target.value)}
          rows={8}
          spellCheck={false}
          required
        />
      </Form>
      <div aria-live="polite">
        {check.data !== undefined && receipt !== '' && <VerdictNotice verdict={check.data} />}
      </div>
    </Section>
  );
}
