import { readServiceError } from '@strongroom/platform/errors';

/** The reason of the refusal that a call ends in; 'none' when it succeeds. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    const known = readServiceError(error);
    if (known === undefined) throw error;
    return known.reason;
  }
}
