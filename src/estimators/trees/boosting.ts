import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';

/** Rows to learn from. */
export interface BoostingData {
  readonly inputs: Matrix;
  /** [rows, outputs]; symmetric trees learn several outputs at once, leaf-wise trees one. */
  readonly targets: Matrix;
  /** One a row, positive; null: all 1. */
  readonly weights: Float64Array | null;
  /** Columns that hold codes of categories. */
  readonly categorical: readonly number[];
}

/** Rows that decide when to stop. */
export type ValidationData = Pick<BoostingData, 'inputs' | 'targets'>;

/** The trees of a model and how its loss went. */
export interface Boosted<Tree> {
  readonly trees: readonly Tree[];
  /** Mean loss on the training rows, summed over outputs, after each tree grown. */
  readonly trainingLoss: readonly number[];
  /** The same on the validation rows; empty without such rows. */
  readonly validationLoss: readonly number[];
}

/**
 * Grows tree after tree until there are `rounds`, or the validation loss has not fallen for `patience` trees (0:
 * never); then those after the best are dropped.
 *
 * @param grow grows the next tree, and tells the training loss with it
 * @param validate the validation loss with one tree more; null without validation rows
 */
export function boost<Tree>(
  rounds: number,
  patience: number,
  grow: (round: number) => { readonly tree: Tree; readonly loss: number },
  validate: ((tree: Tree) => number) | null,
): Boosted<Tree> {
  const trees: Tree[] = [];
  const trainingLoss: number[] = [];
  const validationLoss: number[] = [];
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const { tree, loss } = grow(round);
    trees.push(tree);
    trainingLoss.push(loss);
    if (!validate) continue;
    const held = validate(tree);
    if (!(held >= (validationLoss[best - 1] ?? Number.POSITIVE_INFINITY))) best = trees.length;
    validationLoss.push(held);
    if (patience > 0 && trees.length - best >= patience) break;
  }
  const kept = validate && patience > 0 ? trees.slice(0, best) : trees;
  return { trees: kept, trainingLoss, validationLoss };
}

/** @throws ShapeError when there are no rows, or their counts differ */
export function requireRows({ inputs, targets, weights }: BoostingData): void {
  if (inputs.rows === 0) throw new ShapeError('boosting needs at least one training row');
  if (targets.rows !== inputs.rows || (weights && weights.length !== inputs.rows)) {
    throw new ShapeError(`${inputs.rows} rows of inputs but ${targets.rows} of targets`);
  }
}

/** A sample of the numbers 0 … count − 1 without replacement, and the others; both ascending, until the next is drawn. */
interface Sample {
  readonly drawn: Int32Array;
  readonly others: Int32Array;
}

/** What draws samples of `fraction` of the numbers 0 … count − 1, of at least one of them. */
export function sampler(count: number, fraction: number): (random: RandomStream) => Sample {
  const size = fraction >= 1 ? count : Math.min(count, Math.max(1, Math.round(count * fraction)));
  // One place more, since every number is written to both.
  const inside = new Int32Array(size + 1);
  const outside = new Int32Array(count - size + 1);
  const sample = { drawn: inside.subarray(0, size), others: outside.subarray(0, count - size) };
  const all = new Int32Array(count);
  const isDrawn = new Uint8Array(count);
  return (random) => {
    for (let item = 0; item < count; item++) all[item] = item;
    if (fraction >= 1) isDrawn.fill(1);
    else {
      isDrawn.fill(0);
      for (let at = 0; at < size; at++) {
        const other = at + random.integer(count - at);
        isDrawn[all[other] as number] = 1;
        all[other] = all[at] as number;
      }
    }
    // In ascending order without sorting, and without branches that would be guessed wrong.
    let taken = 0;
    for (let item = 0; item < count; item++) {
      inside[taken] = item;
      outside[item - taken] = item;
      taken += isDrawn[item] as number;
    }
    return sample;
  };
}

/**
 * As {@link sampler} for the columns that a tree, or a level of it, may use: those of covariates, the last set, always,
 * which a draw among a thousand features would seldom have.
 */
export function columnSampler(
  { columns, sets }: Matrix,
  fraction: number,
): (random: RandomStream) => Int32Array {
  const last = sets?.at(-1);
  const own = last?.measured ? last.columns : 0;
  const draw = sampler(columns - own, fraction);
  const ownColumns = Array.from({ length: own }, (_, at) => columns - own + at);
  return (random) => {
    const { drawn } = draw(random);
    return own === 0 ? drawn : Int32Array.of(...drawn, ...ownColumns);
  };
}
