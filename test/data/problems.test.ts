import { expect, it } from 'vitest';
import { type Problem, problemLines } from '../../src/data/problems.ts';

const problem = (row: number, further: Partial<Problem> = {}): Problem => ({
  severity: 'error',
  code: 'missing-photo',
  where: `cuts.csv row ${row}`,
  what: `there is no photo ${row}`,
  remedy: 'add it',
  ...further,
});

it('many problems of one kind are one line with the first of their rows; few, and those of photos, are not', () => {
  const rows = [2, 3, 4, 5, 6];
  expect(problemLines([...rows.map((row) => problem(row)), problem(9, { code: 'bad-date' })])).toEqual([
    'error: cuts.csv row 2: there is no photo 2 (and 4 more such: rows 3, 4, 5 …); add it',
    'error: cuts.csv row 9: there is no photo 9; add it',
  ]);
  expect(problemLines(rows.slice(0, 3).map((row) => problem(row)))).toHaveLength(3);
  for (const further of [{ code: 'duplicate-photo' }, { where: 'cuts.csv' }] as const)
    expect(problemLines(rows.map((row) => problem(row, further)))).toHaveLength(5);
});
