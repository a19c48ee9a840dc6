// Runs in a worker thread: bcrypt and the dictionaries take up to half a second, during which the loop must go on.
import bcrypt from 'bcryptjs';
import type { PasswordStrength } from './password.ts';
import { measurePassword } from './password-strength.ts';

export interface HashTask {
  /** Base64 of the pre-hash: 44 ASCII characters, below bcrypt's 72 bytes and free of NUL. */
  readonly preHash: string;
  readonly cost: number;
}

export interface CompareTask {
  readonly preHash: string;
  readonly hash: string;
}

export interface MeasureTask {
  readonly password: string;
  readonly inputs: readonly string[];
}

export function hash({ preHash, cost }: HashTask): string {
  return bcrypt.hashSync(preHash, cost);
}

export function compare(task: CompareTask): boolean {
  return bcrypt.compareSync(task.preHash, task.hash);
}

export function measure({ password, inputs }: MeasureTask): PasswordStrength {
  return measurePassword(password, inputs);
}
