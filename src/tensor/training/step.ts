import { UsageError } from '../../ground/errors.ts';
import { pullBack } from '../autodiff/gradients.ts';
import { constant, input, parameter } from '../graph/leaves.ts';
import type { Parameter, Tensor } from '../graph/operator.ts';
import { initialValues } from '../graph/values.ts';
import { add, cast, divide, finite, multiply, where } from '../operators/elementwise.ts';
import type { Update } from '../program/program.ts';
import { clipByGlobalNorm, globalNorm } from './clipping.ts';
import { companion, type Optimizer, type ParameterGroup } from './optimizers.ts';

/** What one step of training does, as a graph. */
export interface StepSpec {
  /** Scalar. */
  readonly loss: Tensor;
  readonly optimizer: Optimizer;
  /** What is trained, and how. */
  readonly groups: readonly ParameterGroup[];
  /** Largest global norm of the gradients. */
  readonly clipNorm?: number;
  /** Runs whose gradients are averaged into one step. Default 1. */
  readonly accumulate?: number;
  /** Keep an exponential moving average of the weights: average = decay·average + (1 − decay)·weight. */
  readonly averageDecay?: number;
  /** For half precision: multiply the loss, and skip steps whose gradients overflow. */
  readonly lossScaling?: LossScaling;
}

export interface LossScaling {
  /** Default 65536. */
  readonly initial?: number;
  /** Steps without overflow after which the scale doubles; it halves at each overflow. Default 2000. */
  readonly growthInterval?: number;
}

/** The graph of a step: what changes in a run that steps, and in one that only collects gradients. */
export interface StepGraph {
  readonly stepUpdates: readonly Update[];
  readonly collectUpdates: readonly Update[];
  /** Sums of gradients, to be cleared after a step. */
  readonly sums: readonly Parameter[];
  readonly averages: ReadonlyMap<Parameter, Parameter>;
  readonly norm: Tensor | undefined;
}

/** The input that carries the loss scale. */
export const SCALE_INPUT = 'training.scale';

/**
 * Extends a loss by its gradients and the updates of weights, moments and averages.
 *
 * @throws UsageError when nothing is trained or `accumulate` is not a positive whole number
 * @throws ShapeError as `gradients`
 */
export function stepGraph(spec: StepSpec): StepGraph {
  const { loss, groups, accumulate = 1, clipNorm, lossScaling } = spec;
  const trained = groups.flatMap((group) => group.parameters);
  if (trained.length === 0) throw new UsageError('nothing to train: every parameter is frozen');
  if (!Number.isInteger(accumulate) || accumulate < 1) {
    throw new UsageError(`accumulate must be a positive whole number, not ${accumulate}`);
  }
  const scale = lossScaling && input(SCALE_INPUT, []);
  const seed = scale ? cast(scale, loss.dtype) : constant(1, [], loss.dtype);
  const factor = scale ? divide(1 / accumulate, scale) : 1 / accumulate;
  const shares = pullBack(loss, seed, trained).map((gradient) =>
    factor === 1 ? gradient : multiply(gradient, factor),
  );
  const sums = accumulate > 1 ? trained.map((weight) => companion(weight, 'gradient.sum')) : [];
  const totals = shares.map((share, index) => (sums[index] ? add(sums[index], share) : share));
  const norm = clipNorm !== undefined || lossScaling ? globalNorm(totals) : undefined;
  const gradients = norm && clipNorm !== undefined ? clipByGlobalNorm(totals, norm, clipNorm) : totals;
  const weightUpdates = updatesOf(spec, trained, gradients);
  const averages = averagesOf(spec, weightUpdates.slice(), trained);
  const all = [...weightUpdates, ...averages.updates];
  return {
    stepUpdates: norm && lossScaling ? all.map((update) => onlyIf(finite(norm), update)) : all,
    collectUpdates: sums.map((sum, index) => ({ variable: sum, next: totals[index] as Tensor })),
    sums,
    averages: averages.byWeight,
    norm,
  };
}

function updatesOf(spec: StepSpec, trained: readonly Parameter[], gradients: readonly Tensor[]): Update[] {
  const byParameter = new Map(trained.map((weight, index) => [weight, gradients[index] as Tensor]));
  return spec.groups.flatMap((group) =>
    group.parameters.flatMap((weight) =>
      spec.optimizer.updates(weight, byParameter.get(weight) as Tensor, group),
    ),
  );
}

function averagesOf(
  { averageDecay }: StepSpec,
  updates: readonly Update[],
  trained: readonly Parameter[],
): { readonly updates: readonly Update[]; readonly byWeight: ReadonlyMap<Parameter, Parameter> } {
  if (averageDecay === undefined) return { updates: [], byWeight: new Map() };
  const next = new Map(updates.map((update) => [update.variable, update.next]));
  const byWeight = new Map(
    trained.map((weight) => {
      const { dtype, shape, name } = weight;
      // An average that starts at the weight itself needs no correction for its first steps.
      const generate = () => initialValues(weight);
      return [weight, parameter(`average/${name}`, { shape, dtype }, { from: 'generator', generate })];
    }),
  );
  return {
    byWeight,
    updates: [...byWeight].map(([weight, average]) => ({
      variable: average,
      next: add(multiply(average, averageDecay), multiply(next.get(weight) as Tensor, 1 - averageDecay)),
    })),
  };
}

const onlyIf = (condition: Tensor, { variable, next }: Update): Update => ({
  variable,
  next: where(condition, next, variable),
});
