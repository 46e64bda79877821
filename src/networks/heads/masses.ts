import {
  concat,
  constant,
  gather,
  matmul,
  multiply,
  ones,
  reshape,
  type Scope,
  softplus,
  type Tensor,
} from '../../tensor/index.ts';

/** What heads make of features. */
export interface Heads {
  /**
   * `[batch, 5]` green, dead, clover, GDM, total in grams, as the loss sees them. Sums agree with their parts
   * except where sums are what is predicted (`tiled-dual`), which `physicalMasses` settles.
   */
  readonly masses: Tensor;
  /** `[batch, width]`: what the masses are read from; auxiliary heads sit on it too. */
  readonly embedding: Tensor;
  /** `[batch, halves, parts, 3]` green, dead and clover of every patch, grams: `density` only. */
  readonly maps?: Tensor;
  /** `[batch, halves, 5]` grams of every half, where each half is trained on half the label. */
  readonly halves?: Tensor;
}

/** Masses the heads of an architecture answer with, by their place in `TARGET_NAMES`. */
type MassIndex = 0 | 1 | 2 | 3 | 4;

/**
 * Turns logits of heads into masses that are not negative.
 *
 * @param logits `[…, columns]`
 * @param columns which mass each column is
 */
export type MassUnit = (logits: Tensor, columns: readonly MassIndex[]) => Tensor;

/** Name of the variable that holds the training photos' mean masses, `[5]` grams. */
export const MEAN_MASSES = 'unit.mean';

/**
 * Softplus of the logits in grams, or in units of the training photos' mean mass, a logit of 0 being that mean;
 * the means are a variable of the model that whoever trains it sets.
 */
export function massUnit(scope: Scope, unit: 'gram' | 'mean'): MassUnit {
  if (unit === 'gram') return (logits) => softplus(logits);
  return (logits, columns) => {
    const means = scope.variable(MEAN_MASSES, [5], ones, { trained: false });
    return multiply(softplus(logits), multiply(gather(means, columns, 0), 1 / Math.LN2));
  };
}

/** Which components each mass is a sum of: rows green, dead, clover; columns as `TARGET_NAMES`. */
const SUMS = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1];

/** All five masses of components. @param components `[…, 3]` green, dead, clover @returns `[…, 5]` */
export function massesOfComponents(components: Tensor): Tensor {
  const flat = reshape(components, [-1, 3]);
  return reshape(matmul(flat, constant(SUMS, [3, 5])), [...components.shape.slice(0, -1), 5]);
}

/**
 * All five masses of nested ones: dead = total − GDM and clover = GDM − green, which may be negative.
 *
 * @param nested `[batch, 3]` green, GDM, total
 */
export function massesOfNested(nested: Tensor): Tensor {
  return matmul(nested, constant(NESTED, [3, 5]));
}

const NESTED = [1, 0, -1, 0, 0, 0, -1, 1, 1, 0, 0, 1, 0, 0, 1];

/** Heads' outputs `[batch, 1]` side by side. */
export const sideBySide = (columns: readonly Tensor[]): Tensor => concat(columns, -1);
