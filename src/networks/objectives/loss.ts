import { z } from 'zod';
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
import type { Heads } from '../heads/masses.ts';
import type { AuxiliaryOutputs } from './auxiliary.ts';
import type { LabelSettings, Labels } from './labels.ts';
import { knownWhole } from './mixup.ts';

const MASSES = 5;

/**
 * How much each mass counts: green, dead, clover, GDM, total. `metric`: as in the competition; `alike`: a fifth each;
 * `components`: a third each of the first three; `nested`: as seed 1's heads.
 */
const massWeightSettings = z.union([
  z.enum(['metric', 'alike', 'components', 'nested']),
  z.array(z.number().min(0)).length(TARGET_WEIGHTS.length),
]);

/** What a term of the loss may be made of. */
interface TermContext {
  /** Weights of rows and masses `[rows, 5]` whose mean over all elements makes Σ over masses of the weighted mean. */
  readonly cells: Tensor;
  /** How much each row counts, `[rows, 1]`, or where masses are lacking in each mass, `[rows, 5]`; and each mass. */
  readonly rows: Tensor;
  readonly masses: readonly number[];
  /** Corner of SmoothL1, grams. */
  readonly beta: number;
  /** Corner of Huber's loss, grams. */
  readonly delta: number;
}

/** A scalar of masses `[rows, 5]`. */
type Comparison = (predicted: Tensor, observed: Tensor) => Tensor;

/** Every loss of the masses by the name of its share in the settings; a new one is a line here. */
const MASS_TERMS = {
  mse: ({ cells }) => weightedMeanSquaredError({ weights: cells }),
  smoothL1: ({ cells, beta }) => smoothL1({ beta, weights: cells }),
  huber: ({ cells, delta }) => huber({ delta, weights: cells }),
  r2: ({ rows, masses }) => rSquaredLoss({ weights: constant(masses), samples: rows }),
} as const satisfies Record<string, (context: TermContext) => Comparison>;

const MASS_TERM_NAMES = Object.keys(MASS_TERMS) as (keyof typeof MASS_TERMS)[];

/** The same setting for every loss of the masses. */
const forEachTerm = <Schema extends z.ZodType>(
  schema: Schema,
  meaning: string,
): Record<keyof typeof MASS_TERMS, Schema> =>
  Object.fromEntries(MASS_TERM_NAMES.map((name) => [name, schema.describe(`${meaning} ${name}`)])) as Record<
    keyof typeof MASS_TERMS,
    Schema
  >;

const share = z.number().min(0).default(0);

/** Terms of the loss, each with its share, over the five masses. */
export const lossSettings = z.strictObject({
  ...forEachTerm(share, 'share of the term'),
  nll: share.describe('share of the Gaussian negative log-likelihood, the variance being predicted too'),
  bins: share.describe('share of the cross entropy of heads that tell in which interval each mass lies'),
  binCount: z.int().min(2).default(7).describe('bins: intervals a mass'),
  beta: z.number().positive().default(1).describe('smoothL1: its corner, grams'),
  delta: z.number().positive().default(10).describe('huber: its corner, grams'),
  weights: massWeightSettings
    .default('metric')
    .describe('how much green, dead, clover, GDM and total count in terms that termWeights does not name'),
  termWeights: z
    .strictObject({
      ...forEachTerm(massWeightSettings.optional(), 'how much each mass counts in the term'),
      nll: massWeightSettings.optional().describe('how much each mass counts in the term nll'),
      bins: massWeightSettings.optional().describe('how much each mass counts in the term bins'),
    })
    .default({}),
});

type LossSettings = z.output<typeof lossSettings>;

/** What of a network's settings decides its loss. */
export interface MassLossSettings extends LabelSettings {
  readonly loss: LossSettings;
}

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
  /** `[rows, 5]`: 1 where a mass was measured, else 0; absent: all were. */
  readonly known?: Tensor;
  /** What a teacher predicts of the same rows, and its share; absent: there is none. */
  readonly teacher?: { readonly masses: Tensor; readonly share: number };
}

/**
 * The loss of a batch: Σ share · term over the terms the settings name. Each term is Σ over the masses of their
 * weight times the mean over photos, photos counting by their own weight; rows of weight 0 do not count at all.
 * Masses that were not measured have no part in a term, and the others keep their weights, as in the metric, which pools
 * what was measured. Where heads answer for each half, each half is held against half the label. Where there is a teacher, a term is
 * (1 − w) · of the measured masses + w · of the teacher's (Lopez-Paz et al. 2016, generalised distillation).
 *
 * @returns scalar
 * @throws UsageError when the settings name no term for the masses
 */
export function networkLoss(
  heads: Heads,
  auxiliary: AuxiliaryOutputs,
  labels: Labels,
  settings: MassLossSettings,
): Tensor {
  const photos = meanOne(labels.weights);
  const whole: Compared = {
    predicted: heads.masses,
    observed: labels.targets,
    rows: photos,
    ...(labels.known && { known: knownWhole(labels.known) }),
    ...(labels.teacherMasses && {
      teacher: { masses: labels.teacherMasses, share: settings.teacher?.weight ?? 0 },
    }),
  };
  const [first, ...masses] = [
    ...massTerms(heads.halves ? eachHalf(heads.halves, whole) : whole, settings.loss),
    ...varianceTerms(whole, auxiliary, settings.loss),
  ];
  if (!first) {
    throw new UsageError(
      `the loss has no term for the masses; give estimator.loss.${MASS_TERM_NAMES.join(', ')} or nll`,
    );
  }
  const others = [...masses, ...auxiliaryTerms(auxiliary, labels, photos, settings)];
  return others.reduce(
    (total, [share, term]) => add(total, multiply(term, share)),
    multiply(first[1], first[0]),
  );
}

type Term = readonly [share: number, term: Tensor];

function massTerms(compared: Compared, loss: LossSettings): Term[] {
  const { beta, delta } = loss;
  const { known } = compared;
  const rows = known ? evenMean(multiply(known, compared.rows)) : compared.rows;
  return MASS_TERM_NAMES.filter((name) => loss[name] > 0).map((name) => {
    const masses = massWeights(loss, name);
    const cells = cellWeights(compared, loss, name);
    return [
      loss[name],
      heldAgainst(compared, MASS_TERMS[name]({ cells, rows, masses, beta, delta })),
    ] as const;
  });
}

function varianceTerms(compared: Compared, { logVariance }: AuxiliaryOutputs, loss: LossSettings): Term[] {
  if (!logVariance) return [];
  const weights = cellWeights(compared, loss, 'nll');
  const term: Comparison = (predicted, observed) =>
    gaussianNegativeLogLikelihood(predicted, logVariance, observed, { weights });
  return [[loss.nll, heldAgainst(compared, term)]];
}

/**
 * A term of the measured masses, and by its share of the teacher's. Errors are counted in the spread of the measured
 * masses in both: a teacher predicts little that is far from the mean, and R² would make much of that.
 */
function heldAgainst({ predicted, observed, teacher }: Compared, term: Comparison): Tensor {
  const measured = term(predicted, observed);
  if (!teacher) return measured;
  const { masses, share } = teacher;
  const told = term(add(predicted, subtract(observed, masses)), observed);
  return add(multiply(measured, 1 - share), multiply(told, share));
}

function auxiliaryTerms(
  { bins, state, species, ndvi, height }: AuxiliaryOutputs,
  labels: Labels,
  photos: Tensor,
  { loss, auxiliary }: MassLossSettings,
): Term[] {
  const terms: Term[] = [];
  if (bins && labels.bins) {
    const weights = multiply(
      cellWeights({ rows: photos }, loss, 'bins'),
      1 / (photos.shape[0] as number) / MASSES,
    );
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
function cellWeights(
  { rows, known }: Pick<Compared, 'rows' | 'known'>,
  loss: LossSettings,
  term: LossTerm,
): Tensor {
  const cells = multiply(rows, constant(massWeights(loss, term).map((weight) => MASSES * weight)));
  return known ? multiply(cells, known) : cells;
}

/** Weights `[rows, 5]` scaled to mean 1 in each column; all 0 in one that sums to nothing. */
function evenMean(weights: Tensor): Tensor {
  const sums = maximum(sum(weights, { axes: [0], keepAxes: true }), 1e-12);
  return multiply(divide(weights, sums), weights.shape[0] as number);
}

/** Weights `[rows, 1]` scaled to mean 1; all 0 where they sum to nothing. */
function meanOne(weights: Tensor): Tensor {
  const count = weights.shape[0] as number;
  return multiply(divide(weights, maximum(sum(weights), 1e-12)), count);
}

/** Every half as a row of its own with half the label. @param halves `[batch, halves, 5]` grams */
function eachHalf(halves: Tensor, { observed, rows, known, teacher }: Compared): Compared {
  const [batch, count] = halves.shape as [number, number];
  const repeated = (x: Tensor, width: number): Tensor =>
    reshape(expand(insertAxis(x, 1), [batch, count, width]), [batch * count, width]);
  const share = (masses: Tensor): Tensor => multiply(repeated(masses, MASSES), 1 / count);
  return {
    predicted: reshape(halves, [batch * count, MASSES]),
    observed: share(observed),
    rows: repeated(rows, 1),
    ...(known && { known: repeated(known, MASSES) }),
    ...(teacher && { teacher: { ...teacher, masses: share(teacher.masses) } }),
  };
}
