import { describe, expect, it } from 'vitest';
import { groupBySpecies, groupByState, groupByTime, isRecorded } from '../../../src/report/rows/groups.ts';
import type { OutOfFoldRow } from '../../../src/runs/results.ts';
import { inventedRows } from '../run-results.ts';

function photos(members: readonly Partial<OutOfFoldRow>[]): OutOfFoldRow[] {
  return inventedRows(members.length).map((row, index) => ({ ...row, ...members[index] }));
}

describe('grouping photos', () => {
  it('puts States in order of name and unrecorded last, an empty one among them', () => {
    const rows = photos([{ state: null }, { state: 'WA' }, { state: 'NSW' }, { state: '' }, { state: 'WA' }]);
    const groups = groupByState(rows);
    expect(groups.map((group) => [group.label, group.rows.length])).toEqual([
      ['NSW', 1],
      ['WA', 2],
      ['not recorded', 2],
    ]);
    expect(isRecorded(groups)).toBe(true);
    expect(isRecorded(groupByState(photos([{ state: null }])))).toBe(false);
  });

  it('puts the most photographed species first and gathers the rarest beyond a page', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ species: `species ${100 + index}` }));
    const groups = groupBySpecies(photos([...many, { species: 'Clover' }, { species: 'Clover' }]));
    expect(groups[0]?.label).toBe('Clover');
    expect(groups).toHaveLength(42);
    expect(groups.at(-1)).toMatchObject({ label: '20 others' });
    expect(groups.reduce((sum, group) => sum + group.rows.length, 0)).toBe(62);
  });

  it('tells sessions of two States on one day apart', () => {
    const rows = photos([
      { date: '2015-07-01', state: 'Vic' },
      { date: '2015-07-01', state: 'Tas' },
      { date: '2015-02-03', state: null },
      { date: null, state: 'Tas' },
    ]);
    expect(groupByTime(rows).map((group) => group.label)).toEqual([
      '2015-02-03',
      '2015-07-01 Tas',
      '2015-07-01 Vic',
      'not recorded',
    ]);
  });

  it('falls back on months when there are more days than a page has room for', () => {
    const days = Array.from({ length: 100 }, (_, index) => ({
      state: 'Vic',
      date: `2015-${String(1 + Math.floor(index / 25)).padStart(2, '0')}-${String(1 + (index % 25)).padStart(2, '0')}`,
    }));
    expect(groupByTime(photos(days)).map((group) => [group.label, group.rows.length])).toEqual([
      ['2015-01', 25],
      ['2015-02', 25],
      ['2015-03', 25],
      ['2015-04', 25],
    ]);
  });
});
