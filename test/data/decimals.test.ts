import { describe, expect, it } from 'vitest';
import { decimalProblems, type NumberColumn, readDecimals } from '../../src/data/decimals.ts';
import { readNumber } from '../../src/data/numbers.ts';

const FREE = { commasAreFree: true } as const;
const BETWEEN_COMMAS = { commasAreFree: false } as const;
/** Of kg/ha. */
const isUsual = (value: number): boolean => value >= 20 && value <= 20_000;
const column = (...cells: string[]): NumberColumn => ({ header: 'green (kg/ha)', cells });

/** The first number of the first column as it is read, with what is said. */
function firstOf(columns: readonly NumberColumn[], options: Parameters<typeof readDecimals>[1]) {
  const read = readDecimals(columns, options);
  const problems = decimalProblems(columns, read, (item) => `row ${item + 2}`);
  const { sign = '.', note = null } = read[0] ?? {};
  return {
    value: readNumber(columns[0]?.cells[0] ?? '', sign),
    note,
    said: problems.map(({ severity, where, what, remedy }) => `${severity} ${where}: ${what}; ${remedy}`),
  };
}

describe('1,054 in a column of numbers', () => {
  it.each([
    ['1,054', '2,952', '470', '119'],
    ['1.054', '2.952', '470', '0'],
    ['1,054', '2,952', '1470', '2119'],
  ])('is a thousand beside whole numbers as large (%s, %s, %s, %s), which is said', (...cells) => {
    const { value, note, said } = firstOf([column(...cells)], FREE);
    expect(value).toBe(1054);
    expect(note).toMatch(/^(commas|points) between thousands$/);
    expect(said).toEqual([
      expect.stringMatching(
        /^warning row 2: "1.054" is read as 1054, by the size .*; say --decimal \w+ if it is 1\.054$/,
      ),
    ]);
  });

  it('is what is usual of its unit where no whole number stands beside it', () => {
    expect(firstOf([{ ...column('1,350', '2,410'), isUsual }], FREE).value).toBe(1350);
    const tonnes = { ...column('1,350', '2,410'), isUsual: (value: number) => isUsual(1000 * value) };
    expect(firstOf([tonnes], FREE)).toMatchObject({ value: 1.35, note: 'decimal comma' });
    // Points between thousands in a file of commas.
    expect(firstOf([{ ...column('1.350', '470'), isUsual }], BETWEEN_COMMAS).value).toBe(1350);
  });

  it('is what other numbers of the column show, without a word', () => {
    expect(firstOf([column('1,054', '0,550')], FREE)).toMatchObject({ value: 1.054, said: [] });
    expect(firstOf([column('1,054', '22,5')], FREE)).toMatchObject({ value: 1.054, said: [] });
  });

  it('is what other columns show, which is said', () => {
    for (const [cells, value] of [
      [['1.054', '470'], 1054],
      [['1,054', '2,952'], 1.054],
    ] as const) {
      const read = firstOf([column(...cells), column('6,5')], FREE);
      expect(read.value).toBe(value);
      expect(read.said).toEqual([
        expect.stringMatching(`is read as ${value}, by the decimals of other columns`),
      ]);
    }
    expect(firstOf([column('1,054'), column('6.5')], BETWEEN_COMMAS)).toMatchObject({
      value: 1054,
      said: [],
    });
  });

  it('is what another column of the table is judged to be', () => {
    const clover = column('1,100', '12', '0');
    expect(firstOf([clover, { ...column('1,054', '2,952', '470'), isUsual }], FREE).value).toBe(1100);
  });

  it('is asked about where nothing tells, or the table contradicts itself', () => {
    const asked = [
      expect.stringMatching(
        /^error row 2: nothing shows whether "1,054" is 1\.054 or 1054 .*; say --decimal comma \(1\.054\) or --decimal point \(1054\)$/,
      ),
    ];
    expect(firstOf([column('1,054', '2,952')], FREE).said).toEqual(asked);
    expect(firstOf([column('1,054', '2.952')], FREE).said).toEqual(asked);
    // Beside it are thousands, but what is usual says tonnes.
    const torn = { ...column('1,054', '2,952', '470'), isUsual: (value: number) => isUsual(1000 * value) };
    expect(firstOf([torn], FREE).said).toEqual(asked);
    // A decimal comma elsewhere, and thousands beside it.
    expect(firstOf([column('1,054', '470'), column('6,5')], FREE).said).toEqual(asked);
  });

  it('is what a person says', () => {
    expect(firstOf([column('1,054', '2,952')], { ...FREE, decimal: 'comma' })).toMatchObject({
      value: 1.054,
      note: 'decimal comma, as --decimal comma says',
      said: [],
    });
    expect(firstOf([column('1,054', '2,952')], { ...FREE, decimal: 'point' }).value).toBe(1054);
  });

  it('is as ever between commas: a point before decimals, a comma between thousands', () => {
    expect(firstOf([column('1,054', '2,952')], BETWEEN_COMMAS)).toMatchObject({ value: 1054, said: [] });
    expect(firstOf([column('1.054', '2.952')], BETWEEN_COMMAS)).toMatchObject({
      value: 1.054,
      note: null,
      said: [],
    });
  });
});
