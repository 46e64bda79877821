import { UsageError } from '../../ground/errors.ts';
import { add, constant, maximum, minimum, multiply, type Tensor } from '../../tensor/index.ts';
import { reconcileGraph } from '../masses/reconcile-graph.ts';
import { type FittedStep, stepName } from './steps.ts';

/**
 * Fitted steps of post-processing as a graph, in order.
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
