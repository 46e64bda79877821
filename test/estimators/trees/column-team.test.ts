import { describe, expect, it } from 'vitest';
import { type BinnedMatrix, binMatrix, type NumericBins } from '../../../src/estimators/trees/bins.ts';
import type { LeafwiseParameters } from '../../../src/estimators/trees/boost-settings.ts';
import { columnSpace, WANTED } from '../../../src/estimators/trees/column-space.ts';
import { columnTeam } from '../../../src/estimators/trees/column-team.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { FREE } from './small-data.ts';

interface Sums {
  gradient: number;
  hessian: number;
  count: number;
}

const ROWS = 90;
const COLUMNS = 7;
const nothing = (): Sums => ({ gradient: 0, hessian: 0, count: 0 });
const minus = (one: Sums, other: Sums): Sums => ({
  gradient: one.gradient - other.gradient,
  hessian: one.hessian - other.hessian,
  count: one.count - other.count,
});

/** Sums by bins of one column, added up row by row. */
function histogramOf({ bins, columns }: BinnedMatrix, column: number, rows: readonly number[], of: Derived) {
  const { bounds } = columns[column] as NumericBins;
  const cells = Array.from({ length: bounds.length + 2 }, nothing);
  for (const row of rows) addTo(cells[bins[column * ROWS + row] ?? 0] ?? nothing(), row, of);
  return cells;
}

interface Asked {
  readonly sums: Sums;
  readonly wanted: readonly number[];
}

interface Derived {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array | null;
}

function addTo(sums: Sums, row: number, { gradients, hessians }: Derived): Sums {
  sums.gradient += gradients[row] ?? 0;
  sums.hessian += hessians?.[row] ?? 1;
  sums.count += 1;
  return sums;
}

/** The best bound, every one being tried in turn with the formula as it stands in the papers. */
function bestBound(
  { columns }: BinnedMatrix,
  histograms: readonly (readonly Sums[])[],
  node: Sums,
  rules: LeafwiseParameters,
  only: (column: number) => number,
) {
  const term = ({ gradient, hessian }: Sums) =>
    Math.max(0, Math.abs(gradient) - rules.lambdaL1) ** 2 / (hessian + rules.lambdaL2);
  let best = { gain: 0, column: -1, bin: 0, missingLeft: false, left: nothing() };
  histograms.forEach((cells, column) => {
    const { bounds, missing } = columns[column] as NumericBins;
    const lacking = cells[bounds.length + 1] ?? nothing();
    for (const missingLeft of missing === 'last' ? [false, true] : [false]) {
      if (missingLeft && lacking.count === 0) continue;
      const left = missingLeft ? { ...lacking } : nothing();
      const last = missing === 'last' && !missingLeft ? bounds.length : bounds.length - 1;
      for (let bin = 0; bin <= last; bin++) {
        const cell = cells[bin] ?? nothing();
        if (cell.count === 0 && bin !== only(column)) continue;
        left.gradient += cell.gradient;
        left.hessian += cell.hessian;
        left.count += cell.count;
        if (only(column) >= 0 && bin !== only(column)) continue;
        const right = minus(node, left);
        if (Math.min(left.count, right.count) < rules.minDataInLeaf) continue;
        if (Math.min(left.hessian, right.hessian) < rules.minSumHessian) continue;
        const gain = term(left) + term(right) - (term(node) + rules.minGainToSplit);
        if (gain > best.gain) best = { gain, column, bin, missingLeft, left: { ...left } };
      }
    }
  });
  return best;
}

describe('the threads of a training', () => {
  it.each([
    ['Hessians of 1', false, {}],
    ['other Hessians', true, {}],
    ['Hessians of 1 and λ₁', false, { lambdaL1: 0.4, lambdaL2: 1 }],
    ['other Hessians, λ₁ and a least gain', true, { lambdaL1: 0.4, minGainToSplit: 0.1 }],
    ['bounds drawn at random', false, { extraTrees: true }],
    ['bounds drawn at random, other Hessians', true, { extraTrees: true, lambdaL1: 0.2 }],
    ['large leaves', true, { minDataInLeaf: 9, minSumHessian: 12, lambdaL2: 3 }],
  ])(
    'find for both children the bound that trying all finds, to the last digit: %s',
    (_, counted, changes) => {
      const rules = { ...FREE, minDataInLeaf: 2, ...changes };
      let found = 0;
      for (let seed = 0; seed < 40; seed++) {
        const random = randomStream(seed);
        // Few values a column, so that bins are empty in children; every third column has missing values.
        const data = Float64Array.from({ length: ROWS * COLUMNS }, (_, at) =>
          at % 3 === 0 && random.uniform() < 0.2 ? Number.NaN : random.integer(2 + 7 * (at % COLUMNS)),
        );
        const binned = binMatrix(
          { rows: ROWS, columns: COLUMNS, data },
          { maxBin: 40, minDataInBin: 1, categorical: new Set(), single: false },
        );
        const derived = {
          // Equal sizes make equal gains.
          gradients: Float64Array.from({ length: ROWS }, () =>
            seed % 2 === 0 ? random.normal() : random.integer(2) - 0.3,
          ),
          hessians: counted ? Float64Array.from({ length: ROWS }, () => 3 * random.uniform()) : null,
        };
        const team = columnTeam(columnSpace(binned, rules, counted, 1), binned, derived, rules);
        const drawn = Array.from({ length: COLUMNS }, (_, column) => column);
        const bounds = binned.columns.map((column) => (column as NumericBins).bounds.length);
        const asked = (rows: readonly number[]): Asked => ({
          sums: rows.reduce((sums, row) => addTo(sums, row, derived), nothing()),
          wanted: bounds.map((count) => (rules.extraTrees ? random.integer(Math.max(1, count)) : WANTED.all)),
        });
        const isRight = (
          split: ReturnType<typeof bestBound>,
          cells: readonly (readonly Sums[])[],
          node: Asked,
        ) => {
          const expected = bestBound(binned, cells, node.sums, rules, (column) => node.wanted[column] ?? 0);
          expect(split).toMatchObject(expected);
          if (split.column >= 0) found++;
        };
        const cellsOf = (rows: readonly number[]) =>
          drawn.map((column) => histogramOf(binned, column, rows, derived));

        const rows = Array.from({ length: ROWS }, (_, row) => row);
        const root = asked(rows);
        team.listed.set(rows);
        team.begin(Int32Array.from(drawn));
        const whole = team.step(0, ROWS, null, root, null);
        let cells = cellsOf(rows);
        isRight(whole.child, cells, root);
        // Twice, so that what is left in empty bins comes of sums in different orders.
        let left = rows;
        for (const part of [3, 2]) {
          const small = left.filter((_, at) => at % part === 0);
          const large = left.filter((_, at) => at % part !== 0);
          const [child, other] = [asked(small), asked(large)];
          team.listed.set(small);
          const step = team.step(0, small.length, whole.histogram, child, other);
          const ofChild = cellsOf(small);
          cells = cells.map((column, at) =>
            column.map((cell, bin) => minus(cell, ofChild[at]?.[bin] ?? nothing())),
          );
          isRight(step.child, ofChild, child);
          isRight(step.other, cells, other);
          team.free(step.histogram);
          left = large;
        }
      }
      expect(found).toBeGreaterThan(150);
    },
  );
});
