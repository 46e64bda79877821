import { describe, expect, it } from 'vitest';
import { parseSamplingDate } from '../../src/data/dates.ts';

describe('sampling dates', () => {
  it.each([
    ['2015/9/4', '2015-09-04'],
    ['9/4/2015', '2015-09-04'],
    ['2015/11/10', '2015-11-10'],
    ['11/10/2015', '2015-11-10'],
    ['2015-09-04', '2015-09-04'],
    [' 2016/2/29 ', '2016-02-29'],
  ])('reads %s', (text, iso) => {
    expect(parseSamplingDate(text)).toBe(iso);
  });

  it.each(['', 'yesterday', '2015/13/1', '2015/2/29', '31/12/2015', '2015/4/31', '4/9/15', '2015/9'])(
    'does not guess at %j',
    (text) => {
      expect(parseSamplingDate(text)).toBeNull();
    },
  );
});
