import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { isComplete, isKnown, knownWhere, massesKnownOf } from '../../pasture/partial.ts';
import { type ReconciliationWeights, reconcile } from '../../pasture/reconcile.ts';
import { absentFractions, substituted } from '../../pasture/substitute.ts';
import { byMass, MASS_NAMES, type Targets } from '../../pasture/targets.ts';
import { add, constant, maximum, minimum, multiply, type Tensor } from '../../tensor/index.ts';
import { reconcileGraph } from '../masses/reconcile-graph.ts';
import { bendAsFirstPlace, withoutDeadInWesternAustralia } from './competition-rules.ts';
import { changeEach, fitCalibration, fitTrainingRange } from './per-target.ts';
import { projectionWeights, WEIGHINGS, type Weighing } from './projection.ts';

/** A step of post-processing as asked for, before it has seen data. */
export type StepChoice =
  | { readonly kind: 'calibration' | 'clip' | 'wa-dead' | 'first-place' }
  | { readonly kind: 'projection'; readonly weighing: Weighing };

const five = z.array(z.number()).length(5);

/** A step as fitted, which `run.json` of an ensemble keeps. */
export const fittedStepSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('calibration'), slope: five, intercept: five }),
  z.strictObject({ kind: z.literal('clip'), low: five, high: five }),
  z.strictObject({
    kind: z.literal('projection'),
    weighing: z.enum(WEIGHINGS),
    weights: z.union([z.literal('plain'), five, z.array(five).length(5)]),
  }),
  z.strictObject({ kind: z.literal('wa-dead') }),
  z.strictObject({ kind: z.literal('first-place') }),
]);
export type FittedStep = z.output<typeof fittedStepSchema>;

const SPELLINGS = `calibration, clip, projection=${WEIGHINGS.join('|')}|none, wa-dead, first-place`;

/** Steps after which sums may differ from their parts. */
const BREAKING: ReadonlySet<StepChoice['kind']> = new Set(['calibration', 'clip', 'first-place']);

/**
 * Reads a list of steps such as `calibration,projection=metric`. Steps run in the order given. Where one breaks the
 * identities and no projection follows it, one with the metric's weights does, unless `projection=none` is among
 * them.
 *
 * @param identitiesHold whether the masses that the first step receives are physical
 * @throws UsageError for a step that is not known
 */
export function parseSteps(text: string, identitiesHold: boolean): StepChoice[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const free = words.includes('projection=none');
  const steps = words.filter((word) => word !== 'projection=none').map(parseStep);
  const broken = steps.findLastIndex(({ kind }) => BREAKING.has(kind));
  const mended = steps.findLastIndex(({ kind }) => kind === 'projection');
  const needsProjection = broken >= 0 || !identitiesHold ? mended <= broken : false;
  if (free || !needsProjection) return steps;
  return steps.toSpliced(broken + 1, 0, { kind: 'projection', weighing: 'metric' });
}

function parseStep(word: string): StepChoice {
  const [kind, choice, ...more] = word.split('=');
  if (more.length === 0) {
    if (kind === 'projection') {
      const weighing = WEIGHINGS.find((name) => name === (choice ?? 'metric'));
      if (weighing) return { kind, weighing };
    } else if (
      choice === undefined &&
      (kind === 'calibration' || kind === 'clip' || kind === 'wa-dead' || kind === 'first-place')
    ) {
      return { kind };
    }
  }
  throw new UsageError(`--post ${word}: no such step; use ${SPELLINGS}`);
}

/** A step as a person writes it. */
export function stepName(step: StepChoice): string {
  return step.kind === 'projection' ? `${step.kind}=${step.weighing}` : step.kind;
}

/** Fits a step to what it receives on training photos. @throws as the step's own fitting */
export function fitStep(
  choice: StepChoice,
  predicted: readonly Targets[],
  observed: readonly Targets[],
): FittedStep {
  switch (choice.kind) {
    case 'calibration':
      return { kind: choice.kind, ...fitCalibration(predicted, observed) };
    case 'clip':
      return { kind: choice.kind, ...fitTrainingRange(observed) };
    case 'projection': {
      const weights = projectionWeights(choice.weighing, predicted, observed);
      return fittedStepSchema.parse({ ...choice, weights });
    }
    case 'wa-dead':
    case 'first-place': {
      const known = massesKnownOf(predicted);
      if (MASS_NAMES.every((mass) => known[mass])) return { kind: choice.kind };
      throw new UsageError(
        `--post ${choice.kind}: needs all five masses, and these runs were not taught all`,
      );
    }
  }
}

/** `reconcile` of masses of which some are not predicted: those that are keep the sums that hold among them. */
function reconciled(masses: Targets, weights: ReconciliationWeights): Targets {
  if (isComplete(masses)) return reconcile(masses, weights);
  const absent = absentFractions(byMass((mass) => isKnown(masses, mass)));
  return knownWhere(reconcile(substituted(masses, absent), weights), masses);
}

/**
 * Applies a fitted step.
 *
 * @param states State of each photo, null where unknown; only `wa-dead` reads them
 */
export function applyStep(
  step: FittedStep,
  predicted: readonly Targets[],
  states: readonly (string | null)[],
): Targets[] {
  switch (step.kind) {
    case 'calibration': {
      const { slope, intercept } = step;
      return changeEach(predicted, (mass, at) => (intercept[at] ?? 0) + (slope[at] ?? 1) * mass);
    }
    case 'clip': {
      const { low, high } = step;
      return changeEach(predicted, (mass, at) =>
        Math.max(low[at] ?? 0, Math.min(high[at] ?? Number.POSITIVE_INFINITY, mass)),
      );
    }
    case 'projection':
      return predicted.map((targets) => reconciled(targets, step.weights));
    case 'wa-dead':
      return withoutDeadInWesternAustralia(predicted, states);
    case 'first-place':
      return bendAsFirstPlace(predicted);
  }
}

/**
 * Fitted steps in order as a graph, see {@link applyStep}.
 *
 * @param masses `[batch, 5]` float64, grams, as `TARGET_NAMES`
 * @returns `[batch, 5]` float64
 * @throws UsageError for a step that is not a function of the masses alone, or a rule of thumb
 */
export function stepsGraph(steps: readonly FittedStep[], masses: Tensor): Tensor {
  return steps.reduce((before, step) => stepGraph(step, before), masses);
}

function stepGraph(step: FittedStep, masses: Tensor): Tensor {
  switch (step.kind) {
    case 'calibration':
      return add(row(step.intercept), multiply(row(step.slope), masses));
    case 'clip':
      return maximum(row(step.low), minimum(row(step.high), masses));
    case 'projection':
      return reconcileGraph(masses, step.weights);
    case 'wa-dead':
    case 'first-place':
      throw new UsageError(
        `the step ${stepName(step)} of an ensemble cannot be part of an ONNX model; make the ensemble without it`,
      );
  }
}

const row = (values: readonly number[]): Tensor => constant([...values], [1, values.length], 'float64');
