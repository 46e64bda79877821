import { add, concat, maximum, slice, type Tensor } from '../../tensor/index.ts';

/**
 * `targetsFromComponents` as a graph: negative fractions count as 0, sums are derived.
 *
 * @param components `[batch, 3]` green, dead and clover, grams, free to be negative
 * @returns `[batch, 5]` grams, as `TARGET_NAMES`
 */
export function massesFromComponents(components: Tensor): Tensor {
  const fractions = maximum(components, 0);
  const column = (at: number): Tensor => slice(fractions, { 1: [at, at + 1] });
  const [green, dead, clover] = [column(0), column(1), column(2)];
  const greenMatter = add(green, clover);
  return concat([fractions, greenMatter, add(greenMatter, dead)], 1);
}
