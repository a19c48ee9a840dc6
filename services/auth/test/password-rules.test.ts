// The rules of passwords and of the codes that stand in for a factor: pure, so that many can be tried.
import { dictionary } from '@zxcvbn-ts/language-common';
import t from 'tap';
import { generateBackupCodes } from '../src/mfa/backup-code.ts';
import { contextTokens, passwordFaults, strengthFaults } from '../src/password/password.ts';
import { measurePassword } from '../src/password/password-strength.ts';
import { goodPassword } from './auth-fixture.ts';

const person = { email: 'marigold.smith@example.com', name: 'Marigold Smith' };
const rulesBroken = (password: string) =>
  [
    ...passwordFaults(password, person),
    ...strengthFaults(password, measurePassword(password, contextTokens(person))),
  ].map(({ rule }) => rule);
const lengthMin = 12;

t.test('S2.5, ASVS V6.2.1, V6.2.9: length is counted in characters, from 12 up to 255 bytes', (t) => {
  t.same(rulesBroken('xQ7-mZ2!kV9w'), []);
  t.ok(rulesBroken('xQ7-mZ2!kV9').includes('password.length'));
  for (const length of [64, 128, 255])
    t.same(rulesBroken(`${goodPassword} ${'k7-Wx'.repeat(60)}`.slice(0, length)), []);
  t.same(rulesBroken(`${goodPassword}${'k7-Wx'.repeat(60)}`.slice(0, 256)), ['password.bytes']);
  t.same(rulesBroken('Ärger mit 7 Zwölffingerdärmen 🐘'), [], 'spaces, other letters and pictures count');
  t.end();
});

t.test('S2.5, ASVS V6.2.4, V6.2.12: no commonly used password is taken, dressed up as the rules ask', (t) => {
  const common = (dictionary['passwords-common'] ?? []).map(String);
  t.ok(common.length > 10_000, `${common.length} known`);
  const words = common.filter((word) => word.length >= 6).slice(0, 200);
  for (const word of words) {
    const dressed = `${word[0]?.toUpperCase()}${word.slice(1)}aA1!`;
    const password = dressed.padEnd(lengthMin, '1');
    t.ok(rulesBroken(password).includes('password.common'), password);
  }
  t.end();
});

t.test('S2.5, ASVS V6.1.2, V6.2.11: neither the product nor the person carries a password', (t) => {
  for (const word of [
    'Strongroom',
    'Payments',
    'Gateway',
    'Administrator',
    'Marigold',
    'Smith',
    'Marigold.Smith',
    'Example',
  ]) {
    for (const password of [`${word}-42!Aa`, `42!Aa-${word}`, `${[...word].reverse().join('')}-42!Aa`]) {
      const padded = password.padEnd(lengthMin, '7');
      t.ok(rulesBroken(padded).includes('password.similar'), padded);
    }
  }
  t.ok(rulesBroken('Str0ngr00m-42!').includes('password.similar'), 'nor with digits for letters');
  t.end();
});

t.test('S7.1, ASVS V6.5.3, V6.5.4: backup codes have 120 random bits, and no character is likelier', (t) => {
  const codes = Array.from({ length: 1_000 }, generateBackupCodes).flat();
  t.equal(new Set(codes).size, 10_000);
  const counts = new Map<string, number>();
  for (const code of codes) {
    t.match(code, /^[0-9a-hjkmnp-tv-z]{6}(?:-[0-9a-hjkmnp-tv-z]{6}){3}$/);
    for (const character of code.replaceAll('-', '')) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  t.equal(counts.size, 32, 'five bits a character');
  const expected = (codes.length * 24) / 32;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // Of 31 degrees of freedom: chance alone goes beyond it once in a hundred million runs.
  t.ok(chiSquare < 103, `chi-square ${chiSquare}`);
  t.end();
});
