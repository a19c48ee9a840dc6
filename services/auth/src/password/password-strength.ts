import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import { type PasswordStrength, plainForm } from './password.ts';

/** The matcher's work grows faster than the text; what follows the 64th character only makes a password stronger. */
const checkedLengthMax = 64;
const wordLengthMin = 4;

const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs, maxLength: checkedLengthMax });
const commonWords: ReadonlySet<string> = new Set(
  (dictionary['passwords-common'] ?? []).map(String).filter((word) => word.length >= wordLengthMin),
);

const hintTexts: Readonly<Record<string, string>> = {
  similarToCommon: 'It resembles a commonly used password.',
  common: 'It is a commonly used password.',
  topTen: 'It is among the ten most used passwords.',
  topHundred: 'It is among the hundred most used passwords.',
  simpleRepeat: 'It repeats a character.',
  extendedRepeat: 'It repeats a pattern.',
  sequences: 'It follows a sequence.',
  straightRow: 'It follows a row of keys.',
  keyPattern: 'It follows a pattern of keys.',
  dates: 'It holds a date.',
  recentYears: 'It holds a recent year.',
  userInputs: 'It holds something known about you.',
};

/** Measured against dictionaries that come with the process: nothing leaves it, and it works offline (ASVS V6.2.12). */
export function measurePassword(password: string, inputs: readonly string[]): PasswordStrength {
  const checked = [...password].slice(0, checkedLengthMax).join('');
  const result = estimator.check(checked, [...inputs]);
  const warning = result.feedback.warning;
  const hint = warning === null ? undefined : hintTexts[warning];
  const hints = [hint ?? '', 'Use several unrelated words or a generated password.'].filter((text) => text !== '');
  return { guessesLog10: result.guessesLog10, commonWord: longestCommonWord(checked), hints };
}

function longestCommonWord(password: string): string {
  const plain = plainForm(password);
  for (let length = plain.length; length >= wordLengthMin; length -= 1) {
    for (let start = 0; start + length <= plain.length; start += 1) {
      const part = plain.slice(start, start + length);
      if (commonWords.has(part)) return part;
    }
  }
  return '';
}
