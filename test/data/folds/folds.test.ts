import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupsOf,
  joinedGroups,
  readFolds,
  strataOf,
  stratifiedGroupKFold,
  visitsSentence,
  writeFolds,
} from '../../../src/data/folds/index.ts';
import type { Label } from '../../../src/data/labels.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('folds');

function label(imageId: string, date: string | null, state: string | null, masses = [10, 1, 1]): Label {
  const [green = 0, dead = 0, clover = 0] = masses;
  return {
    imageId,
    imagePath: null,
    targets: targetsFromComponents({ green, dead, clover }),
    date,
    state,
    species: null,
    ndvi: null,
    heightCentimetres: null,
    row: 2,
  };
}

const items = fc.array(fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 3 })), {
  minLength: 10,
  maxLength: 120,
});

describe('stratified group K-fold', () => {
  it('never splits a group, and leaves no fold empty', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 2, max: 6 }), fc.integer(), (drawn, count, seed) => {
        const groups = drawn.map(([group]) => `g${group}`);
        fc.pre(new Set(groups).size >= count);
        const strata = drawn.map(([, stratum]) => stratum);
        const folds = stratifiedGroupKFold(groups, strata, count, randomStream(seed));
        expect(new Set(folds).size).toBe(count);
        for (const group of new Set(groups)) {
          const inside = folds.filter((_, item) => groups[item] === group);
          expect(new Set(inside).size).toBe(1);
        }
      }),
    );
  });

  it('gives every fold its share of each stratum when groups allow it', () => {
    const groups = Array.from({ length: 100 }, (_, item) => `g${item}`);
    const strata = groups.map((_, item) => item % 4);
    const folds = stratifiedGroupKFold(groups, strata, 5, randomStream(1));
    for (let fold = 0; fold < 5; fold++) {
      for (let stratum = 0; stratum < 4; stratum++) {
        expect(folds.filter((f, item) => f === fold && strata[item] === stratum)).toHaveLength(5);
      }
    }
  });

  it('repeats itself for a seed and differs between seeds', () => {
    const groups = Array.from({ length: 60 }, (_, item) => `g${item % 20}`);
    const strata = groups.map((_, item) => item % 3);
    const draw = (seed: number): string =>
      stratifiedGroupKFold(groups, strata, 5, randomStream(seed)).join('');
    expect(draw(1)).toBe(draw(1));
    expect(new Set([1, 2, 3, 4, 5].map(draw)).size).toBe(5);
  });

  it('refuses more folds than groups, and fewer than two', () => {
    expect(() => stratifiedGroupKFold(['a', 'b'], [0, 0], 3, randomStream(1))).toThrow(
      /3 folds need as many groups/,
    );
    expect(() => stratifiedGroupKFold(['a', 'b'], [0, 0], 1, randomStream(1))).toThrow(/2 or more/);
    expect(() => stratifiedGroupKFold(['a', 'b'], [0, 0], 2.5, randomStream(1))).toThrow(/whole number/);
  });
});

describe('groups and strata', () => {
  const labels = [
    label('a', '2015-06-26', 'Tas', [10, 0, 0]),
    label('b', '2015-06-26', 'Vic', [20, 1, 0]),
    label('c', '2015-06-27', 'Vic', [30, 0, 1]),
    label('d', '2015-06-27', 'Vic', [40, 1, 1]),
  ];

  it('keeps two States of one date apart unless dates alone are grouped', () => {
    expect(new Set(groupsOf(labels, 'date-state')).size).toBe(3);
    expect(new Set(groupsOf(labels, 'date')).size).toBe(2);
    expect(new Set(groupsOf(labels, 'none')).size).toBe(4);
  });

  it('strata tell clover × dead apart, or rank totals', () => {
    expect(strataOf(labels, 'presence')).toEqual([0, 1, 2, 3]);
    expect(strataOf(labels, 'total')).toEqual([...strataOf(labels, 'total')].sort());
    expect(strataOf(labels, 'none')).toEqual([0, 0, 0, 0]);
  });

  it('refuses to guess sessions where dates are missing', () => {
    expect(() => groupsOf([label('x', null, 'Tas')], 'date')).toThrow(/x has no sampling date/);
    expect(() => groupsOf([label('x', '2015-01-01', 'Tas'), label('y', null, 'Tas')], 'date-state')).toThrow(
      /y has no sampling date/,
    );
  });

  it('groups by date alone where States are not known, and a date whole where one photo has none', () => {
    const days = ['2015-01-01', '2015-01-01', '2015-02-01'];
    expect(
      groupsOf(
        days.map((day, index) => label(`x${index}`, day, null)),
        'date-state',
      ),
    ).toEqual(days);
    const states = [
      label('a', '2015-01-01', 'Tas'),
      label('b', '2015-01-01', null),
      label('c', '2015-02-01', 'Tas'),
    ];
    expect(groupsOf(states, 'date-state')).toEqual(['2015-01-01', '2015-01-01', '2015-02-01 Tas']);
  });

  it('tells visits apart by site where there is no State, and by site alone where there is no date', () => {
    const at = (id: string, date: string | null, site: string) => ({ ...label(id, date, null), site });
    expect(groupsOf([at('a', '2015-01-01', 'North'), at('b', '2015-01-01', 'South')], 'date-state')).toEqual([
      '2015-01-01 North',
      '2015-01-01 South',
    ]);
    expect(groupsOf([at('a', null, 'North'), at('b', null, 'North')], 'date-state')).toEqual([
      'North',
      'North',
    ]);
  });

  it('says how many visits there are and what tells them apart, where dates or sites do', () => {
    const at = (date: string | null, state: string | null, site: string | null = null) => ({
      ...label('x', date, state),
      site,
    });
    const [day, other] = ['2015-01-01', '2015-02-01'];
    expect(visitsSentence([at(day, 'Tas'), at(day, 'Vic'), at(other, 'Vic')])).toBe(
      '3 visits, by date and State',
    );
    expect(visitsSentence([at(day, null, 'North'), at(day, null, 'South')])).toBe(
      '2 visits, by date and site',
    );
    expect(visitsSentence([at(day, null), at(day, null), at(other, null)])).toBe('2 visits, by date');
    expect(visitsSentence([at(null, null, 'North'), at(null, null, 'North')])).toBe('1 visit, by site');
    expect(visitsSentence([at(day, 'Tas'), at(null, 'Tas')])).toBeNull();
    expect(visitsSentence([at(null, null)])).toBeNull();
    expect(visitsSentence([])).toBeNull();
  });

  it('joins groups that hold copies of one photo, along chains of them', () => {
    expect(joinedGroups(['a', 'b', 'c', 'd', 'a'], ['1', '2', '2', null, '3'])).toEqual([
      'a',
      'b',
      'b',
      'd',
      'a',
    ]);
    expect(joinedGroups(['a', 'b', 'c', 'b'], ['1', '1', '2', '2'])).toEqual(['a', 'a', 'a', 'a']);
  });
});

describe('folds files', () => {
  const ids = ['a', 'b', 'c'];
  const groups = ['g', 'g', 'h'];
  const path = join(folder, 'folds.csv');

  it('can be given back in', async () => {
    const rows = ids.map((imageId, item) => ({
      imageId,
      fold: item === 2 ? 1 : 0,
      group: groups[item] ?? '',
      stratum: 0,
    }));
    await writeFolds(path, rows);
    expect(readFileSync(path, 'utf8')).toMatch(/^image_id,fold,group,stratum\n/);
    expect(await readFolds(path, ids, groups)).toEqual([0, 0, 1]);
    expect(await readFolds(path, ['c', 'a', 'b'], ['h', 'g', 'g'])).toEqual([1, 0, 0]);
  });

  it.each([
    ['a,0\nb,1\nc,1', /group g into folds 0 and 1/],
    ['a,0\nb,0', /lacks c/],
    ['a,0\nb,0\nc,1\nz,1', /row 5: z is not in the data/],
    ['a,0\na,0\nb,0\nc,1', /row 3: gives a a second time/],
    ['a,0\nb,0\nc,x', /row 4: fold "x"/],
    ['a,0\nb,0\nc,2', /no photo in fold 1/],
    ['a,0\nb,0\nc,0', /single fold/],
  ])('refuses %j', async (rows, message) => {
    writeFileSync(path, `image_id,fold\n${rows}\n`);
    await expect(readFolds(path, ids, groups)).rejects.toThrow(message);
  });
});
