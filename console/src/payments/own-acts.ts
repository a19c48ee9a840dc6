import { skipToken, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client.ts';

/** Something that the person has done to a payment since signing in, which the audit log can prove. */
export interface OwnAct {
  readonly what: string;
  readonly eventId: string;
}

const keyOf = (paymentId: string) => ['own-acts', paymentId] as const;

/** Only the answer to an act names its event, so it is kept here, with all else that was read, until the person leaves. */
export function rememberAct(paymentId: string, act: OwnAct): void {
  queryClient.setQueryDefaults(keyOf(paymentId), { gcTime: Number.POSITIVE_INFINITY });
  queryClient.setQueryData<readonly OwnAct[]>(keyOf(paymentId), (before = []) => [...before, act]);
}

export function useOwnActs(paymentId: string): readonly OwnAct[] {
  return useQuery<readonly OwnAct[]>({ queryKey: keyOf(paymentId), queryFn: skipToken }).data ?? [];
}
