import { UsageError } from '../../ground/errors.ts';
import { pullBack } from '../autodiff/gradients.ts';
import { constant, input, parameter } from '../graph/leaves.ts';
import type { Parameter, Tensor } from '../graph/operator.ts';
import type { Update } from '../graph/update.ts';
import { initialValues } from '../graph/values.ts';
import { add, cast, divide, multiply } from '../operators/elementwise.ts';
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
  /** For half precision: multiply the loss, and skip steps whose gradients overflow (torch.amp's GradScaler). */
  readonly lossScaling?: LossScaling;
}

export interface LossScaling {
  /** Default 65536. */
  readonly initial?: number;
  /** Steps without overflow after which the scale doubles; it halves at each overflow. Default 2000. */
  readonly growthInterval?: number;
  /**
   * Take the first step again, with the halved scale, until its gradients do not overflow, so that a short training
   * loses no batch to the search for a scale. Not where gradients are accumulated. Default false, as in torch.
   */
  readonly searches?: boolean;
}

/** The graph of a step: what changes in a run that steps, and in one that only collects gradients. */
export interface StepGraph {
  readonly stepUpdates: readonly Update[];
  readonly collectUpdates: readonly Update[];
  /** Sums of gradients, to be cleared after a step. */
  readonly sums: readonly Parameter[];
  readonly averages: ReadonlyMap<Parameter, Parameter>;
  readonly norm: Tensor | undefined;
  /** Gradients as they arrive, which the optimizer gets in the weights' own precision. */
  readonly gradients: readonly Tensor[];
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
  const { loss, optimizer, groups, accumulate = 1, clipNorm, averageDecay, lossScaling } = spec;
  const trained = groups.flatMap((group) => group.parameters);
  if (trained.length === 0) throw new UsageError('nothing to train: every parameter is frozen');
  if (!Number.isInteger(accumulate) || accumulate < 1) {
    throw new UsageError(`accumulate must be a positive whole number, not ${accumulate}`);
  }
  const scale = lossScaling && input(SCALE_INPUT, []);
  const seed = scale ? cast(scale, loss.dtype) : constant(1, [], loss.dtype);
  const factor = scale ? divide(1 / accumulate, scale) : 1 / accumulate;
  const arriving = pullBack(loss, seed, trained);
  const shares = arriving.map((gradient) => (factor === 1 ? gradient : multiply(gradient, factor)));
  const sums = accumulate > 1 ? trained.map((weight) => companion(weight, 'gradient.sum')) : [];
  const totals = shares.map((share, index) => (sums[index] ? add(sums[index], share) : share));
  const norm = clipNorm !== undefined || lossScaling ? globalNorm(totals) : undefined;
  const gradients = norm && clipNorm !== undefined ? clipByGlobalNorm(totals, norm, clipNorm) : totals;
  const gradientOf = new Map(trained.map((weight, index) => [weight, gradients[index] as Tensor]));
  const stepped = groups.flatMap((group) =>
    group.parameters.flatMap((weight) => optimizer.updates(weight, gradientOf.get(weight) as Tensor, group)),
  );
  const averages = new Map(
    averageDecay === undefined ? [] : trained.map((weight) => [weight, averageOf(weight)]),
  );
  const next = new Map(stepped.map((update) => [update.variable, update.next]));
  const averaged = [...averages].map(([weight, average]) => ({
    variable: average,
    next: blend(average, next.get(weight) as Tensor, averageDecay ?? 0),
  }));
  return {
    stepUpdates: [...stepped, ...averaged],
    collectUpdates: sums.map((sum, index) => ({ variable: sum, next: totals[index] as Tensor })),
    sums,
    averages,
    norm,
    gradients: arriving,
  };
}

/** A variable that starts at the weight itself, so that its first steps need no correction. */
function averageOf(weight: Parameter): Parameter {
  const { dtype, shape, name } = weight;
  const generate = () => initialValues(weight);
  return parameter(`average/${name}`, { shape, dtype }, { from: 'generator', generate });
}

const blend = (average: Tensor, next: Tensor, decay: number): Tensor =>
  add(multiply(average, decay), multiply(next, 1 - decay));
