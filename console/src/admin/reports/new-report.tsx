import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { useMutation } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { ReportFormat, ReportKind } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { invalidate } from '../../api/invalidate.ts';
import { useTimeZone } from '../../time/time-zone.tsx';
import { dayAfter, instantOf } from '../../time/zone.ts';
import { EnumChoice } from '../../ui/enum-choice.tsx';
import { Field } from '../../ui/field.tsx';
import { Flash } from '../../ui/flash.tsx';
import { Form } from '../../ui/form.tsx';
import type { FormValues } from '../../ui/form-values.ts';
import { PeriodFields } from '../../ui/period-fields.tsx';

export function NewReport() {
  const zone = useTimeZone();
  const generate = useMutation(AdminService.method.generateComplianceReport, {
    onSuccess: () => invalidate(AdminService.method.listReports),
  });
  return (
    <>
      <Form
        submitLabel="Create report"
        isPending={generate.isPending}
        error={generate.error}
        onSubmit={(values) => generate.mutate(reportOf(values, zone))}
      >
        <div className="columns">
          <EnumChoice name="kind" label="Kind" values={ReportKind} />
          <EnumChoice name="format" label="Format" values={ReportFormat} />
          <PeriodFields isRequired />
          <Field name="subject_id" label="Subject" hint="A user id, for data access only." autoComplete="off" />
        </div>
      </Form>
      <Flash message={generate.isSuccess ? 'The report is in the list.' : undefined} />
    </>
  );
}

function reportOf(values: FormValues, zone: string) {
  return {
    kind: values.choice(ReportKind, 'kind'),
    format: values.choice(ReportFormat, 'format'),
    startTime: timestampFromDate(instantOf(values.text('from'), zone)),
    endTime: timestampFromDate(dayAfter(values.text('to'), zone)),
    subjectId: values.optional('subject_id'),
  };
}
