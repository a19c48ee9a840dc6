import { isIncluded } from './merkle.ts';
import { checkSignature } from './note.ts';
import type { Receipt } from './receipt.ts';
import { leafOf, parseReceipt } from './receipt.ts';
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts';

/** One thing that was checked. */
export interface CheckedStep {
  readonly holds: boolean;
  readonly text: string;
}

export interface Verdict {
  /** Every step holds, and among them is the signature of a log key that the person trusts. */
  readonly isVerified: boolean;
  readonly steps: readonly CheckedStep[];
  /** What was proven; absent unless verified. */
  readonly record?: Receipt['record'];
}

/**
 * Checks a receipt by the keys that the person trusts, in this browser: nothing is asked of the server that is checked. A
 * trusted key whose signature is missing or wrong refuses the receipt.
 */
export async function verifyReceipt(text: string, keyTexts: readonly string[]): Promise<Verdict> {
  const steps: CheckedStep[] = [];
  try {
    const keys = await Promise.all(keyTexts.map(parseVerifierKey));
    const receipt = parseReceipt(text);
    const { index, hashes, checkpoint } = receipt;
    steps.push({ holds: true, text: `The receipt is of event ${index} of the log ${checkpoint.origin}.` });
    const leaf = await leafOf(receipt);
    const isInside = await isIncluded({ leaf, index, hashes, size: checkpoint.size, root: checkpoint.root });
    steps.push(
      isInside
        ? {
            holds: true,
            text: `The record leads by ${hashes.length} hashes to the root of the tree of ${checkpoint.size} events.`,
          }
        : {
            holds: false,
            text: 'The record does not lead to the root of the tree: record, place or path was changed.',
          },
    );
    steps.push(...(await checkSignatures(receipt, keys)));
    const isVerified = steps.every(({ holds }) => holds);
    return isVerified ? { isVerified, steps, record: receipt.record } : { isVerified, steps };
  } catch (error) {
    return { isVerified: false, steps: [...steps, { holds: false, text: (error as Error).message }] };
  }
}

async function checkSignatures({ note, checkpoint }: Receipt, keys: readonly VerifierKey[]): Promise<CheckedStep[]> {
  const steps: CheckedStep[] = [];
  // A log's key bears the log's origin as its name: the key of another log says nothing about this one.
  if (!keys.some(({ kind, name }) => kind === 'log' && name === checkpoint.origin)) {
    steps.push({
      holds: false,
      text: `No key of ${checkpoint.origin} is trusted here, so its signature says nothing.`,
    });
  }
  for (const key of keys) steps.push(describe(key, await checkSignature(note, key)));
  return steps;
}

function describe(key: VerifierKey, signature: Awaited<ReturnType<typeof checkSignature>>): CheckedStep {
  const named = `${key.kind} key ${key.name} (${[...key.id].map((byte) => byte.toString(16).padStart(2, '0')).join('')})`;
  if (signature === undefined) return { holds: false, text: `The checkpoint is not signed by the ${named}.` };
  if (!signature.holds) return { holds: false, text: `The signature of the ${named} does not fit the checkpoint.` };
  const time = signature.timeS === undefined ? '' : `, at ${new Date(Number(signature.timeS) * 1000).toISOString()}`;
  return { holds: true, text: `The checkpoint is signed by the ${named}${time}.` };
}
