import type { DescMethodUnary } from '@bufbuild/protobuf';
import { createConnectQueryKey } from '@connectrpc/connect-query';
import { queryClient } from './query-client.ts';

/** What was read by these methods is read again, where it is still shown. */
export async function invalidate(...methods: readonly DescMethodUnary[]): Promise<void> {
  await Promise.all(
    methods.map((schema) =>
      queryClient.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: 'finite' }) }),
    ),
  );
}
