import { UsageError } from '../../ground/errors.ts';
import { TARGET_WEIGHTS } from '../../pasture/targets.ts';
import {
  add,
  constant,
  crossEntropy,
  divide,
  expand,
  gaussianNegativeLogLikelihood,
  huber,
  insertAxis,
  maximum,
  multiply,
  reshape,
  rSquaredLoss,
  slice,
  smoothL1,
  subtract,
  sum,
  type Tensor,
  weightedMeanSquaredError,
} from '../../tensor/index.ts';
import type { AuxiliaryOutputs } from './auxiliary.ts';
import type { LabelSettings, Labels } from './labels.ts';
import type { Heads } from './masses.ts';
import type { LossSettings } from './settings.ts';

const MASSES = 5;

/** Weights of the five masses behind a name. */
const NAMED_WEIGHTS = {
  metric: TARGET_WEIGHTS,
  alike: [0.2, 0.2, 0.2, 0.2, 0.2],
  components: [1 / 3, 1 / 3, 1 / 3, 0, 0],
  nested: [0.1, 0, 0, 0.2, 0.5],
} as const satisfies Record<string, readonly number[]>;

/** Masses that are held against each other: `[rows, 5]`, and how much each row counts, `[rows, 1]` with mean 1. */
interface Compared {
  readonly predicted: Tensor;
  readonly observed: Tensor;
  readonly rows: Tensor;
  /** What a teacher says of the same rows, and its share; absent: there is none. */
  readonly taught?: { readonly masses: Tensor; readonly share: number };
}

/**
 * The loss of a batch: Σ share · term over the terms the settings name. Each term is Σ over the masses of their
 * weight times the mean over photos, photos counting by their own weight; rows of weight 0 do not count at all.
 * Where heads answer for each half, each half is held against half the label. Where labels are taught, a term is
 * (1 − w) · of the measured masses + w · of the teacher's (Lopez-Paz et al. 2016, generalised distillation).
 *
 * @returns scalar
 * @throws UsageError when the settings name no term for the masses
 */
export function networkLoss(
  heads: Heads,
  auxiliary: AuxiliaryOutputs,
  labels: Labels,
  settings: LabelSettings,
): Tensor {
  const photos = meanOne(labels.weights);
  const whole: Compared = {
    predicted: heads.masses,
    observed: labels.targets,
    rows: photos,
    ...(labels.taught && { taught: { masses: labels.taught, share: settings.teacher?.weight ?? 0 } }),
  };
  const [first, ...masses] = [
    ...massTerms(heads.halves ? eachHalf(heads.halves, whole) : whole, settings.loss),
    ...varianceTerms(whole, auxiliary, settings.loss),
  ];
  if (!first) {
    throw new UsageError(
      'the loss has no term for the masses; give estimator.loss.mse, smoothL1, huber, r2 or nll',
    );
  }
  const others = [...masses, ...auxiliaryTerms(auxiliary, labels, photos, settings)];
  return others.reduce(
    (total, [share, term]) => add(total, multiply(term, share)),
    multiply(first[1], first[0]),
  );
}

type Term = readonly [share: number, term: Tensor];

/** A scalar of masses `[rows, 5]`. */
type Comparison = (predicted: Tensor, observed: Tensor) => Tensor;

function massTerms(compared: Compared, loss: LossSettings): Term[] {
  const { rows } = compared;
  const columns = constant(massWeights(loss, 'r2'));
  const weightsOf = (term: LossTerm): Tensor => cellWeights(rows, loss, term);
  const { beta, delta } = loss;
  const terms = [
    [loss.mse, weightedMeanSquaredError({ weights: weightsOf('mse') })],
    [loss.smoothL1, smoothL1({ beta, weights: weightsOf('smoothL1') })],
    [loss.huber, huber({ delta, weights: weightsOf('huber') })],
    [loss.r2, rSquaredLoss({ weights: columns, samples: rows })],
  ] as const;
  return terms
    .filter(([share]) => share > 0)
    .map(([share, term]) => [share, heldAgainst(compared, term)] as const);
}

function varianceTerms(compared: Compared, { logVariance }: AuxiliaryOutputs, loss: LossSettings): Term[] {
  if (!logVariance) return [];
  const weights = cellWeights(compared.rows, loss, 'nll');
  const term: Comparison = (predicted, observed) =>
    gaussianNegativeLogLikelihood(predicted, logVariance, observed, { weights });
  return [[loss.nll, heldAgainst(compared, term)]];
}

/**
 * A term of the measured masses, and by its share of the teacher's. Errors are counted in the spread of the measured
 * masses in both: a teacher says little that is far from the mean, and R² would make much of that.
 */
function heldAgainst({ predicted, observed, taught }: Compared, term: Comparison): Tensor {
  const measured = term(predicted, observed);
  if (!taught) return measured;
  const { masses, share } = taught;
  const told = term(add(predicted, subtract(observed, masses)), observed);
  return add(multiply(measured, 1 - share), multiply(told, share));
}

function auxiliaryTerms(
  { bins, state, species, ndvi, height }: AuxiliaryOutputs,
  labels: Labels,
  photos: Tensor,
  { loss, auxiliary }: LabelSettings,
): Term[] {
  const terms: Term[] = [];
  if (bins && labels.bins) {
    const weights = multiply(cellWeights(photos, loss, 'bins'), 1 / (photos.shape[0] as number) / MASSES);
    terms.push([loss.bins, sum(multiply(crossEntropy(bins, labels.bins), weights))]);
  }
  for (const [share, logits, classes] of [
    [auxiliary.state, state, labels.state],
    [auxiliary.species, species, labels.species],
  ] as const) {
    if (!logits || !classes) continue;
    const each = multiply(crossEntropy(logits, classes), reshape(photos, [-1]));
    terms.push([share, multiply(sum(each), 1 / (photos.shape[0] as number))]);
  }
  for (const [share, guess, label] of [
    [auxiliary.ndvi, ndvi, labels.ndvi],
    [auxiliary.height, height, labels.height],
  ] as const) {
    if (!guess || !label) continue;
    const known = multiply(photos, slice(label, { 1: [1, 2] }));
    terms.push([share, huber({ delta: 1, weights: meanOne(known) })(guess, slice(label, { 1: [0, 1] }))]);
  }
  return terms;
}

type LossTerm = keyof LossSettings['termWeights'];

/** The weights of the masses in a term, behind the settings' name or list. */
function massWeights({ weights, termWeights }: LossSettings, term: LossTerm): readonly number[] {
  const given = termWeights[term] ?? weights;
  return typeof given === 'string' ? NAMED_WEIGHTS[given] : given;
}

/** Weights of rows and masses `[rows, 5]` whose mean over all elements makes Σ over masses of the weighted mean. */
function cellWeights(rows: Tensor, loss: LossSettings, term: LossTerm): Tensor {
  return multiply(rows, constant(massWeights(loss, term).map((weight) => MASSES * weight)));
}

/** Weights `[rows, 1]` scaled to mean 1; all 0 where they sum to nothing. */
function meanOne(weights: Tensor): Tensor {
  const count = weights.shape[0] as number;
  return multiply(divide(weights, maximum(sum(weights), 1e-12)), count);
}

/** Every half as a row of its own with half the label. @param halves `[batch, halves, 5]` grams */
function eachHalf(halves: Tensor, { observed, rows, taught }: Compared): Compared {
  const [batch, count] = halves.shape as [number, number];
  const repeated = (x: Tensor, width: number): Tensor =>
    reshape(expand(insertAxis(x, 1), [batch, count, width]), [batch * count, width]);
  const share = (masses: Tensor): Tensor => multiply(repeated(masses, MASSES), 1 / count);
  return {
    predicted: reshape(halves, [batch * count, MASSES]),
    observed: share(observed),
    rows: repeated(rows, 1),
    ...(taught && { taught: { ...taught, masses: share(taught.masses) } }),
  };
}
