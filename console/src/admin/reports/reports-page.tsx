import { createClient } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { type Report, ReportFormat, ReportKind, ReportState } from '@strongroom/gen/strongroom/admin/v1/report_pb.ts';
import { useMutation } from '@tanstack/react-query';
import { transport } from '../../api/transport.ts';
import { ErrorNotice } from '../../errors/error-notice.tsx';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { downloadFile } from '../../ui/download.ts';
import { Listing } from '../../ui/listing.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { usePages } from '../../ui/use-pages.ts';
import { enumInWords, enumName } from '../../ui/words.ts';
import { NewReport } from './new-report.tsx';

const admin = createClient(AdminService, transport);

export function ReportsPage() {
  const pages = usePages('');
  const query = useQuery(AdminService.method.listReports, { pageToken: pages.pageToken });
  return (
    <Page title="Compliance reports">
      <Section title="New report">
        <NewReport />
      </Section>
      <Listing what="reports" query={query}>
        {({ reports, nextPageToken }) => (
          <>
            <Table
              caption="Reports, newest first"
              columns={columns}
              rows={reports}
              keyOf={({ id }) => id}
              empty="No reports yet. Create one above."
            />
            <Pager pages={pages} nextPageToken={nextPageToken} />
          </>
        )}
      </Listing>
    </Page>
  );
}

const columns: Column<Report>[] = [
  {
    title: 'Kind',
    cell: ({ kind, format }) => `${enumInWords(ReportKind, kind)}, ${enumInWords(ReportFormat, format)}`,
  },
  { title: 'From', cell: ({ startTime }) => <Time value={startTime} /> },
  { title: 'To', cell: ({ endTime }) => <Time value={endTime} /> },
  { title: 'Rows', isNumber: true, cell: ({ rowCount }) => String(rowCount) },
  {
    title: 'State',
    cell: ({ state, complete, failure }) => (
      <>
        <Badge tone={toneOf(state)}>{enumInWords(ReportState, state)}</Badge>
        <p className="hint">{failure || (complete ? 'Evidence complete' : 'Evidence has gaps')}</p>
      </>
    ),
  },
  {
    title: 'File',
    cell: ({ id, state }) => (state === ReportState.COMPLETED ? <DownloadButton id={id} /> : undefined),
  },
];

function toneOf(state: ReportState) {
  if (state === ReportState.COMPLETED) return 'good';
  return state === ReportState.FAILED ? 'bad' : 'busy';
}

/** The list comes without the files; one is read when it is wanted. */
function DownloadButton({ id }: { id: string }) {
  const download = useMutation({
    mutationFn: async () => {
      const { report } = await admin.getReport({ id });
      if (report === undefined) return;
      const name = `${enumName(ReportKind, report.kind).toLowerCase()}-${id}.${enumName(ReportFormat, report.format).toLowerCase()}`;
      downloadFile(name, Uint8Array.from(report.content), report.contentType);
    },
  });
  return (
    <>
      <button type="button" disabled={download.isPending} onClick={() => download.mutate()}>
        Download
      </button>
      <ErrorNotice error={download.error} />
    </>
  );
}
