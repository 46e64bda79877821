import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { treeAdder } from '../../../src/estimators/trees/forest.ts';
import { leafOf, scaleTree, type Tree } from '../../../src/estimators/trees/tree.ts';
import { bentTargets, boosted, column, LEAFWISE_DEFAULTS, normalMatrix } from './small-data.ts';

const inputs = normalMatrix(120, 6, 1);
const parameters = { ...LEAFWISE_DEFAULTS, numIterations: 20, minDataInLeaf: 3 };
const { trees } = boosted({ inputs, targets: column(bentTargets(inputs, 2)) }, parameters);

function oneByOne(given: readonly Tree[], matrix: typeof inputs): number[] {
  return Array.from({ length: matrix.rows }, (_, row) =>
    given.reduce(
      (sum, tree) => sum + (tree.leafValue[leafOf(tree, matrix.data, row * matrix.columns)] ?? 0),
      0,
    ),
  );
}

describe('trees packed for speed', () => {
  it('give every row, whatever it holds, the sum of the leaves it falls into', () => {
    const thresholds = trees.flatMap((tree) => [...tree.threshold]);
    // Numbers on a threshold, and what is not finite, are where a fast way would go wrong.
    const number = fc.oneof(
      fc.constantFrom(...thresholds),
      fc.double(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 5e-324),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, number, number, number, number), { maxLength: 11 }),
        (rows) => {
          const matrix = { rows: rows.length, columns: 6, data: Float64Array.from(rows.flat()) };
          const scores = new Float64Array(rows.length);
          treeAdder(trees)(matrix, scores);
          expect([...scores]).toEqual(oneByOne(trees, matrix));
        },
      ),
    );
  });

  it('take 0 and −0 for the same number', () => {
    const stump = trees.map((tree) => ({ ...tree, threshold: tree.threshold.map(() => -0) }));
    const zeros = {
      rows: 2,
      columns: 6,
      data: Float64Array.from([0, 0, 0, 0, 0, 0, -0, -0, -0, -0, -0, -0]),
    };
    const scores = new Float64Array(2);
    treeAdder(stump)(zeros, scores);
    expect([...scores]).toEqual(oneByOne(stump, zeros));
  });

  it('add to the scores that are there, and cope with trees of one leaf and with none', () => {
    const [first] = trees;
    if (!first) throw new Error('trees should have grown');
    const constant = boosted({ inputs, targets: column(new Float64Array(120).fill(4)) }, parameters).trees;
    expect(constant[0]?.leafValue.length).toBe(1);
    const scores = new Float64Array(120).fill(1);
    treeAdder([...constant.slice(0, 1), scaleTree(first, 2)])(inputs, scores);
    treeAdder([])(inputs, scores);
    const expected = oneByOne([first], inputs).map((value) => 1 + 4 + 2 * value);
    for (const [row, value] of expected.entries()) expect(scores[row]).toBeCloseTo(value, 10);
  });
});
