import { UsageError } from '../../ground/errors.ts';
import { input, parameter } from '../graph/leaves.ts';
import type { Parameter, Tensor } from '../graph/operator.ts';
import type { Update } from '../graph/update.ts';
import { add, divide, multiply, squareRoot, subtract } from '../operators/elementwise.ts';

/** Settings of the parameters an optimizer treats alike. */
export interface ParameterGroup {
  readonly parameters: readonly Parameter[];
  /** What the step's learning rate is multiplied by. Default 1. */
  readonly rateScale?: number;
  /** Overrides the optimizer's weight decay. */
  readonly weightDecay?: number;
}

/** One step's numbers, known to the caller and fed: step counts from 1. */
export interface StepNumbers {
  readonly step: number;
  readonly rate: number;
}

/**
 * An optimizer as a pure extension of the graph. `scalars` are computed in double precision outside of it, a
 * few numbers a step, because powers like 0.999ᵗ lose their digits in float32.
 */
export interface Optimizer {
  /** Names of the scalar inputs that `updates` uses, and their values at a step. */
  scalars(numbers: StepNumbers): Readonly<Record<string, number>>;
  /** New values of the parameter and of the state kept for it. */
  updates(parameter: Parameter, gradient: Tensor, group: ParameterGroup): readonly Update[];
}

export interface SgdOptions {
  /** Share of the last direction kept. Default 0. */
  readonly momentum?: number;
  /** Look ahead along the momentum. Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient as decay · weight (L2). Default 0. */
  readonly weightDecay?: number;
}

export interface AdamOptions {
  /** Decay of the mean and of the mean square. Default 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Adam adds it to the gradient; AdamW shrinks the weight by it, times the rate. Default 0, AdamW 0.01. */
  readonly weightDecay?: number;
}

/** A variable that starts at zero and accompanies a parameter. */
export function companion(of: Parameter, kind: string): Parameter {
  return parameter(`${kind}/${of.name}`, { shape: of.shape, dtype: of.dtype }, { from: 'zeros' });
}

const scalar = (inputs: Map<string, Tensor>, name: string): Tensor => {
  const known = inputs.get(name) ?? input(name, []);
  inputs.set(name, known);
  return known;
};

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD: direction = momentum·direction + gradient.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  const inputs = new Map<string, Tensor>();
  return {
    scalars: ({ rate }) => ({ 'step.rate': rate }),
    updates(weight, gradient, group) {
      const rate = multiply(scalar(inputs, 'step.rate'), group.rateScale ?? 1);
      const decay = group.weightDecay ?? weightDecay;
      const g = decay === 0 ? gradient : add(gradient, multiply(weight, decay));
      if (momentum === 0) return [{ variable: weight, next: subtract(weight, multiply(g, rate)) }];
      const direction = companion(weight, 'momentum');
      const next = add(multiply(direction, momentum), g);
      const along = nesterov ? add(g, multiply(next, momentum)) : next;
      return [
        { variable: weight, next: subtract(weight, multiply(along, rate)) },
        { variable: direction, next },
      ];
    },
  };
}

/** Adam (Kingma & Ba 2015), weight decay added to the gradient, as torch.optim.Adam. */
export const adam = (options: AdamOptions = {}): Optimizer => adaptive({ weightDecay: 0, ...options }, false);

/** AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2019), as torch.optim.AdamW. */
export const adamW = (options: AdamOptions = {}): Optimizer =>
  adaptive({ weightDecay: 0.01, ...options }, true);

/**
 * The moments are kept as plain sums, M = Σ β₁ᵏg and V = Σ β₂ᵏg², and their normalisation goes into two
 * scalars: with c₁ = (1 − β₁)/(1 − β₁ᵗ) and c₂ = (1 − β₂)/(1 − β₂ᵗ),
 * rate·m̂/(√v̂ + ε) = rate·c₁/√c₂ · M/(√V + ε/√c₂). The same step in fewer passes over memory.
 */
function adaptive(options: AdamOptions & { readonly weightDecay: number }, decoupled: boolean): Optimizer {
  const { betas = [0.9, 0.999], epsilon = 1e-8 } = options;
  const [beta1, beta2] = betas;
  if (![beta1, beta2].every((beta) => beta >= 0 && beta < 1)) {
    throw new UsageError(`Adam: betas ${beta1}, ${beta2} must lie in [0, 1)`);
  }
  const inputs = new Map<string, Tensor>();
  return {
    scalars({ step, rate }) {
      const first = (1 - beta1) / (1 - beta1 ** step);
      const second = (1 - beta2) / (1 - beta2 ** step);
      return {
        'step.rate': rate,
        'step.length': (rate * first) / Math.sqrt(second),
        'step.floor': epsilon / Math.sqrt(second),
      };
    },
    updates(weight, gradient, group) {
      const scale = group.rateScale ?? 1;
      const decay = group.weightDecay ?? options.weightDecay;
      const first = companion(weight, 'adam.first');
      const second = companion(weight, 'adam.second');
      const g = decoupled || decay === 0 ? gradient : add(gradient, multiply(weight, decay));
      const nextFirst = add(multiply(first, beta1), g);
      const nextSecond = add(multiply(second, beta2), multiply(g, g));
      const floor = scalar(inputs, 'step.floor');
      const length = multiply(scalar(inputs, 'step.length'), scale);
      const step = multiply(divide(nextFirst, add(squareRoot(nextSecond), floor)), length);
      const kept =
        decoupled && decay !== 0
          ? multiply(weight, subtract(1, multiply(scalar(inputs, 'step.rate'), scale * decay)))
          : weight;
      return [
        { variable: weight, next: subtract(kept, step) },
        { variable: first, next: nextFirst },
        { variable: second, next: nextSecond },
      ];
    },
  };
}
