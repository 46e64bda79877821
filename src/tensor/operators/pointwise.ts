import { ShapeError } from '../../ground/errors.ts';
import { type DType, requireFloating } from '../graph/dtype.ts';
import {
  apply,
  describe,
  type GradientContext,
  type GradientRule,
  type Operator,
  type Tensor,
} from '../graph/operator.ts';
import { broadcastShapes, type Shape } from '../graph/shape.ts';

export type One = readonly [Tensor];
export type Pair = readonly [Tensor, Tensor];

/**
 * Makes an operator that maps every element by itself, operands broadcasting, and the function that applies it.
 *
 * @param form its ONNX operator, or how its nodes are written
 * @param dtypeOf the result's dtype. @throws ShapeError for operands that do not suit
 * @param gradient rules whose results may still have the broadcast shape; none: nothing flows
 */
export function pointwise<Inputs extends readonly Tensor[]>(
  name: string,
  form: string | Operator<Inputs, undefined>['emit'],
  dtypeOf: (inputs: Inputs) => DType,
  gradient: (context: GradientContext<Inputs, undefined>) => readonly GradientRule[] = () => [],
): (...inputs: Inputs) => Tensor {
  const operator: Operator<Inputs, undefined> = {
    name,
    elementwise: true,
    outputs: (inputs) => [{ dtype: dtypeOf(inputs), shape: broadcastOf(inputs, name) }],
    emit: typeof form === 'string' ? ({ node }, inputs) => [node(form, inputs)] : form,
    gradient,
  };
  return (...inputs) => apply(operator, inputs, undefined);
}

function broadcastOf([first, ...rest]: readonly Tensor[], name: string): Shape {
  const shapes = rest.map(({ shape }) => shape);
  const shape = shapes.reduce<Shape | undefined>((a, b) => a && broadcastShapes(a, b), first?.shape ?? []);
  if (shape !== undefined) return shape;
  const others = rest.map(describe).join(' and ');
  throw new ShapeError(`${name}: ${first && describe(first)} does not broadcast with ${others}`);
}

/** A function of one floating tensor, with the rule of its gradient from g = ∂/∂y, x and y. */
export const unary = (
  name: string,
  form: string | Operator<One, undefined>['emit'],
  rule: (g: Tensor, x: Tensor, y: Tensor) => Tensor,
): ((x: Tensor) => Tensor) =>
  pointwise<One>(
    name,
    form,
    ([{ dtype }]) => {
      requireFloating(dtype, name);
      return dtype;
    },
    ({ inputs: [x], gradient, output }) => [() => rule(gradient, x, output)],
  );
