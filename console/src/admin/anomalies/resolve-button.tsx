import { useMutation } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AnomalyState } from '@strongroom/gen/strongroom/admin/v1/anomaly_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Choice, Field } from '../../ui/field.tsx';

const { listAnomalies, resolveAnomaly } = AdminService.method;

export function ResolveButton({ id }: { id: string }) {
  const resolve = useMutation(resolveAnomaly, { onSuccess: () => invalidate(listAnomalies) });
  return (
    <ConfirmButton
      label="Resolve"
      title="Resolve this anomaly"
      confirmLabel="Resolve"
      isDangerous={false}
      act={(values) =>
        resolve.mutateAsync({ id, state: values.choice(AnomalyState, 'state'), resolution: values.text('resolution') })
      }
    >
      <Choice name="state" label="What it was" defaultValue={AnomalyState.DISMISSED}>
        <option value={AnomalyState.DISMISSED}>Honest</option>
        <option value={AnomalyState.CONFIRMED}>An attack</option>
      </Choice>
      <Field name="resolution" label="What you found" autoComplete="off" required maxLength={500} />
    </ConfirmButton>
  );
}
