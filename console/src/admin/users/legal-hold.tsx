import { useMutation, useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { useState } from 'react';
import { Badge } from '../../ui/badge.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Listing } from '../../ui/listing.tsx';
import { Section } from '../../ui/page.tsx';
import { ReasonField } from '../reason-field.tsx';

const { listAuditEvents, releaseLegalHold, setLegalHold } = AdminService.method;

/** Keeps a person's data from erasure. Whether they are held is read from the audit log, which lags a moment behind. */
export function LegalHold({ userId }: { userId: string }) {
  const [changed, setChanged] = useState<boolean>();
  const set = useMutation(setLegalHold, { onSuccess: () => setChanged(true) });
  const release = useMutation(releaseLegalHold, { onSuccess: () => setChanged(false) });
  const query = useQuery(listAuditEvents, {
    action: 'LEGAL_HOLD_CHANGED',
    resourceType: 'user',
    resourceId: userId,
    pageSize: 1,
  });
  return (
    <Section title="Legal hold">
      <Listing what="the legal hold" query={query}>
        {({ events }) => {
          const isHeld = changed ?? events[0]?.details['change'] === 'set';
          const verb = isHeld ? 'Release' : 'Hold';
          const act = isHeld ? release : set;
          return (
            <>
              <p>
                <Badge tone={isHeld ? 'busy' : 'plain'}>{isHeld ? 'Held' : 'Not held'}</Badge> While a hold is on,
                nobody can erase any data of this person.
              </p>
              <ConfirmButton
                label={verb}
                title={isHeld ? 'Release the legal hold' : 'Put a legal hold on this person’s data'}
                confirmLabel={verb}
                isDangerous={isHeld}
                act={(values) => act.mutateAsync({ userId, reason: values.text('reason') })}
              >
                <p>{isHeld ? 'The data can be erased again.' : 'Erasure is refused until the hold is released.'}</p>
                <ReasonField />
              </ConfirmButton>
            </>
          );
        }}
      </Listing>
    </Section>
  );
}
