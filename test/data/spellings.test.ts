import { describe, expect, it } from 'vitest';
import { namedColumn, spellingKey, spellingsText, stateName } from '../../src/data/spellings.ts';

describe('names that are spelt in several ways', () => {
  it.each([
    [
      'Tas',
      [
        'Tas',
        'TAS',
        'tas.',
        ' Tas ',
        'Tasmania',
        'T\u200bas',
        'TASMANIA (Tas)',
        'AU-TAS',
        'Tasmania, Australia',
      ],
    ],
    ['NSW', ['NSW', 'N.S.W.', 'nsw', 'New South Wales', 'new  south\u00a0wales']],
    ['WA', ['WA', 'wa', 'W.A.', 'Western Australia']],
    ['Qld', ['Qld', 'QLD', 'Queensland']],
  ])('knows %s in every spelling', (name, spellings) => {
    expect(spellings.map(stateName)).toEqual(spellings.map(() => name));
  });

  it('keeps apart what is not the same', () => {
    const names = ['Paddock 1', 'Paddock 2', '1.1', '11', 'North', 'South'];
    expect(new Set(names.map(spellingKey)).size).toBe(names.length);
    expect(spellingKey('Paddock 1')).toBe(spellingKey('paddock_1'));
  });

  it('gives a name the spelling it has most often, and tells of the others', () => {
    const { names, varied } = namedColumn(
      ['Top End', 'top end', 'Top End', 'NA', undefined, 'Creek'],
      'names',
    );
    expect(names).toEqual(['Top End', 'Top End', 'Top End', null, null, 'Creek']);
    expect(varied.map(spellingsText)).toEqual(['Top End (2 rows), top end (1)']);
    const hidden = namedColumn(['WA', 'W\u200bA'], 'States');
    expect(hidden.names).toEqual(['WA', 'WA']);
    expect(hidden.varied.map(spellingsText)).toEqual(['WA (1 rows), "W\\u200bA" (1)']);
  });
});
