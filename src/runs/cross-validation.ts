import { SwardError } from '../ground/errors.ts';
import { type RandomStream, randomStream } from '../ground/random.ts';
import {
  ALL_MASSES,
  type Estimator,
  type FitContext,
  type FittedModel,
  type MetricLine,
} from '../learning/estimator.ts';
import { itemsWhere } from '../learning/inner-folds.ts';
import { type CovariateSet, hasReadings, hasSet } from '../pasture/covariates.ts';
import { type ByMass, MASS_NAMES, TARGET_NAMES, type Targets } from '../pasture/targets.ts';
import type { TrainingSamples } from '../samples/samples.ts';
import { statesIn } from './leave-one-state-out.ts';

/** An estimator with what it learns from. */
export interface Learner {
  readonly estimator: Estimator;
  readonly samples: TrainingSamples;
  /** What the model of a fold is told of the samples, where that differs from fold to fold (pseudo-labels). */
  readonly targetsFor?: (fold: number) => readonly Targets[];
}

/** One fold's training: the model, and what it recorded on the way. */
export interface FoldFit {
  readonly model: FittedModel;
  readonly lines: readonly MetricLine[];
}

/** What may be told and kept of a fold's training. */
export interface FoldFitOptions extends Pick<FitContext, 'checkpointFolder' | 'onProgress' | 'member'> {
  /** Told of every metric line as it comes. */
  readonly onLine?: (line: MetricLine) => void;
}

/** Trains on everything outside `fold`; samples of no fold (−1) are trained on in each. */
export async function fitFold(
  { estimator, samples, targetsFor }: Learner,
  folds: readonly number[],
  fold: number,
  random: RandomStream,
  { onLine, ...told }: FoldFitOptions = {},
): Promise<FoldFit> {
  const lines: MetricLine[] = [];
  const known = targetsFor ? samples.withTargets(targetsFor(fold)) : samples;
  const model = await estimator.fit(
    {
      train: known.take(itemsWhere(folds, (other) => other !== fold)),
      validation: samples.take(itemsWhere(folds, (other) => other === fold)),
    },
    {
      random: random.fork(`fold ${fold}`),
      record: (line) => {
        lines.push(line);
        onLine?.(line);
      },
      ...told,
    },
  );
  return { model, lines };
}

/**
 * Predicts the samples held out in `fold` into their places of `into`; NaN for masses that the model was not taught.
 *
 * @param set the covariates that the model is to read: samples that lack one stay out; default what each sample has
 * @throws as {@link requireFinite}
 */
export async function predictFold(
  model: FittedModel,
  samples: TrainingSamples,
  folds: readonly number[],
  fold: number,
  into: (Targets | undefined)[],
  set?: CovariateSet,
): Promise<void> {
  const held = itemsWhere(folds, (other) => other === fold).filter(
    (item) => !set || reads(model, samples, item, set),
  );
  if (held.length === 0) return;
  const asked = samples.take(held);
  const predictions = await model.predict(set ? asked.knownBy([set]) : asked);
  held.forEach((item, row) => {
    const targets = predictions[row] as Targets;
    requireFinite(targets, `${samples.facts[item]?.id}`, `the model of fold ${fold}`, model.predicts);
    into[item] = targets;
  });
}

/** Whether a model can answer a sample by all covariates of a set. */
function reads(model: FittedModel, { facts }: TrainingSamples, item: number, set: CovariateSet): boolean {
  return (
    hasReadings(facts[item]?.readings ?? {}, set) && (set.length === 0 || hasSet(model.covariateSets, set))
  );
}

/** @throws SwardError naming photo and model where a mass that the model predicts is not a number */
export function requireFinite(
  targets: Targets,
  photo: string,
  model: string,
  predicts: ByMass<boolean> = ALL_MASSES,
): void {
  const wrong = MASS_NAMES.findIndex((mass) => predicts[mass] && !Number.isFinite(targets[mass]));
  if (wrong < 0) return;
  throw new SwardError(
    `${photo}: ${model} predicts no finite ${TARGET_NAMES[wrong]}; its weights or features are not sound: train it again`,
  );
}

/**
 * Holds out one State at a time: the stress test of a model that is to travel. Needs two States; samples
 * without one are trained on but not predicted.
 *
 * @param cases the sets of covariates by which each State is predicted apart; none: by what each sample has
 * @param elsewhere what another machine found of a State; default: it is found here
 * @returns `[case][sample]`, null for those without a State or the covariates; null with fewer than two States
 */
export async function leaveOneStateOut(
  learner: Learner,
  seed: number,
  cases: readonly (CovariateSet | undefined)[],
  afterEach: () => void,
  elsewhere?: (state: number) => Promise<StateAnswers>,
): Promise<StateAnswers | null> {
  const count = statesIn(learner.samples.facts.map(({ state }) => state)).length;
  if (count < 2) return null;
  const all = cases.map(() => learner.samples.facts.map((): Targets | null => null));
  for (let state = 0; state < count; state++) {
    const said = await (elsewhere?.(state) ?? leaveStateOut(learner, seed, cases, state));
    for (const [place, own] of all.entries()) {
      own.forEach((_, item) => {
        own[item] = said[place]?.[item] ?? own[item] ?? null;
      });
    }
    afterEach();
  }
  return all;
}

/** What models said of samples of States that they had not seen, null of the others. `[case][sample]` */
export type StateAnswers = readonly (readonly (Targets | null)[])[];

/** What a model of all States but one, counted in the order of `statesIn`, says of the samples of that one. */
export async function leaveStateOut(
  learner: Learner,
  seed: number,
  cases: readonly (CovariateSet | undefined)[],
  state: number,
): Promise<StateAnswers> {
  const states = learner.samples.facts.map((facts) => facts.state);
  const names = statesIn(states);
  const part = states.map((name) => (name === null ? -1 : names.indexOf(name)));
  const predicted = cases.map(() => new Array<Targets | undefined>(states.length).fill(undefined));
  const { model } = await fitFold(learner, part, state, randomStream(seed).fork('states'));
  for (const [place, set] of cases.entries()) {
    await predictFold(model, learner.samples, part, state, predicted[place] ?? [], set);
  }
  await model.release();
  return predicted.map((own) => own.map((targets) => targets ?? null));
}
