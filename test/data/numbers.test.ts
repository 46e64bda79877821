import { describe, expect, it } from 'vitest';
import { decimalSign, readNumber } from '../../src/data/numbers.ts';

describe('numbers as people write them', () => {
  it.each([
    ['1.5', '.', 1.5],
    ['1,5', '.', 1.5],
    ['0,55', '.', 0.55],
    ['0,123', '.', 0.123],
    ['1.234,5', '.', 1234.5],
    ['1,234.5', ',', 1234.5],
    ['1,234', '.', 1234],
    ['1,234', ',', 1.234],
    ['1.234', '.', 1.234],
    ['1.234', ',', 1234],
    ['1\u00a0234,5', '.', 1234.5],
    ["1'234.5", '.', 1234.5],
    ['2 400', '.', 2400],
    ['1,234,567', ',', 1_234_567],
    ['\u22123', '.', -3],
    ['1e3', '.', 1000],
  ] as const)('reads %j with %j before decimals where it is open', (text, sign, value) => {
    expect(readNumber(text, sign)).toBe(value);
  });

  it.each(['abc', '', '1,2,3', '1,23,456', '0x10', 'Infinity', '12 g', '1.2.3'])(
    'takes %j for no number',
    (text) => {
      expect(readNumber(text)).toBeNaN();
    },
  );

  it('tells the sign from the column, and from the table where the column is silent', () => {
    expect(decimalSign(['1,234', '2,5'], new Set(), false)).toBe(',');
    expect(decimalSign(['1,234', '2,100'], new Set(), false)).toBe('.');
    expect(decimalSign(['1,234', '2,100'], new Set(), true)).toBe(',');
    expect(decimalSign(['1.234', '2.100'], new Set([','] as const), true)).toBe(',');
    expect(decimalSign(['1.234', '2.1'], new Set([','] as const), true)).toBe('.');
  });
});
