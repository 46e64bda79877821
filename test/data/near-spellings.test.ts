import { describe, expect, it } from 'vitest';
import { nearSpellings } from '../../src/data/near-spellings.ts';

/** Names of photos, as many as the count says, all of one date. */
const places = (names: Readonly<Record<string, number>>, date: string | null = '2015-09-04') =>
  Object.entries(names).flatMap(([name, count]) => Array.from({ length: count }, () => ({ name, date })));

describe('names that may be one name misspelt', () => {
  it.each([
    [{ NSW: 9, NWS: 5 }, /"NWS" \(5 photos\) counts as another than NSW/],
    [{ Vic: 9, Victroia: 5 }, /"Victroia" \(5 photos\) counts as another than Vic/],
    [{ Tas: 9, Tasmaina: 1 }, /"Tasmaina" \(1 photo\) counts as another than Tas/],
    [{ NSW: 9, 'New South Whales': 5 }, /"New South Whales" .* than NSW/],
    [
      { Canterbury: 9, Canterbuyr: 9 },
      /"Canterbury" \(9 photos\) and "Canterbuyr" \(9 photos\) count as two/,
    ],
  ])('are told of where States are %j', (names, message) => {
    const problems = nearSpellings('cuts.csv', 'state', places(names), 'States');
    expect(problems).toMatchObject([{ severity: 'warning', what: expect.stringMatching(message) }]);
  });

  it.each([
    ['Hill Paddock', 'Hill Paddok'],
    ['Hill Paddock', 'Hill Paddcok'],
    ['Weide Süd', 'Weyde Süd'],
  ])('are told of where sites are %s and %s', (one, other) => {
    const [problem, ...more] = nearSpellings('cuts.csv', 'site', places({ [one]: 9, [other]: 9 }), 'names');
    expect(problem?.what).toMatch(new RegExp(`"${one}" .* and "${other}"`));
    expect(more).toEqual([]);
  });

  it.each([
    ['WA', 'SA'],
    ['NT', 'NSW'],
    ['Plot 12', 'Plot 13'],
    ['Block A', 'Block B'],
    ['North', 'South'],
    ['Upper Hill', 'Lower Hill'],
  ])('are not where they are %s and %s', (one, other) => {
    for (const what of ['States', 'names'] as const)
      expect(nearSpellings('cuts.csv', 'site', places({ [one]: 9, [other]: 9 }), what)).toEqual([]);
  });

  it('on other dates are told of only where one has few rows', () => {
    const on = (rows: number) => [
      ...places({ Millbank: 9 }, '2015-09-04'),
      ...places({ Hillbank: rows }, '2015-10-04'),
    ];
    expect(nearSpellings('cuts.csv', 'site', on(9), 'names')).toEqual([]);
    expect(nearSpellings('cuts.csv', 'site', on(1), 'names')).toHaveLength(1);
  });
});
