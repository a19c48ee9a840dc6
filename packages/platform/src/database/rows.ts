/** The row of a statement that can't but answer with one, such as an insert that returns what it made. */
export function onlyRow<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement that makes a row answered with none');
  return row;
}
