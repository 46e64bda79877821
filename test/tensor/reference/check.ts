import { expect } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { gradients } from '../../../src/tensor/autodiff/gradients.ts';
import { decodeNumbers } from '../../../src/tensor/graph/dtype.ts';
import { input } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { type Shape, sizeOf } from '../../../src/tensor/graph/shape.ts';
import { multiply } from '../../../src/tensor/operators/elementwise.ts';
import { sum } from '../../../src/tensor/operators/reduction.ts';
import { compile } from '../../../src/tensor/program/program.ts';
import type { Doubles } from './arrays.ts';
import { evaluate } from './interpreter.ts';

/** One differentiable operand: its shape and how its elements are drawn (default standard normal). */
export interface Operand {
  readonly shape: Shape;
  readonly draw?: (random: ReturnType<typeof randomStream>) => number;
}

/** Largest relative error of finite differences against the gradient formula, both in double precision. */
const FORMULA_TOLERANCE = 1e-6;
/** Largest relative error of ONNX Runtime's float32 against double precision. */
const RUNTIME_TOLERANCE = 3e-5;
const DIFFERENCE_STEP = 1e-5;
/** Elements whose finite difference is taken, an operand. */
const PROBES = 12;

/**
 * Holds an expression against two independent witnesses. Its gradient formulas, evaluated in double precision,
 * must agree with central finite differences; and what ONNX Runtime computes in float32, values and gradients,
 * must agree with double precision.
 */
export async function checkGradients(
  expression: (...operands: Tensor[]) => Tensor,
  operands: readonly Operand[],
  seed: number,
): Promise<void> {
  const random = randomStream(seed);
  const inputs = operands.map(({ shape }, index) => input(`x${index}`, shape));
  const output = expression(...inputs);
  const cotangent = input('cotangent', output.shape);
  const loss = sum(multiply(output, cotangent));
  const formulas = gradients(loss, inputs);
  const leaves = [...inputs, cotangent];
  const draws = [...operands.map(({ draw }) => draw), undefined];
  const singles = leaves.map((leaf, index) =>
    Float32Array.from({ length: sizeOf(leaf.shape) }, () => (draws[index] ?? ((r) => r.normal()))(random)),
  );
  const known = new Map(
    leaves.map((leaf, i) => [
      leaf,
      { shape: leaf.shape, data: Float64Array.from(singles[i] as Float32Array) },
    ]),
  );
  const exact = evaluate([output, ...formulas], known);
  inputs.forEach((leaf, index) => {
    compareWithDifferences(loss, leaf, known, exact[index + 1] as Doubles);
  });
  await compareWithRuntime([output, ...formulas], leaves, singles, exact);
}

function compareWithDifferences(
  loss: Tensor,
  leaf: Tensor,
  known: ReadonlyMap<Tensor, Doubles>,
  formula: Doubles,
): void {
  const base = (known.get(leaf) as Doubles).data;
  const stride = Math.max(1, Math.floor(base.length / PROBES));
  const scale = Math.max(1, ...formula.data.map(Math.abs));
  for (let index = 0; index < base.length; index += stride) {
    const shifted = (by: number): number => {
      const data = base.slice();
      data[index] = (data[index] as number) + by;
      const [value] = evaluate([loss], new Map([...known, [leaf, { shape: leaf.shape, data }]]));
      return (value as Doubles).data[0] as number;
    };
    const difference = (shifted(DIFFERENCE_STEP) - shifted(-DIFFERENCE_STEP)) / (2 * DIFFERENCE_STEP);
    const error = Math.abs(difference - (formula.data[index] as number)) / scale;
    expect(error, `gradient of ${leaf.label}[${index}] against finite differences`).toBeLessThan(
      FORMULA_TOLERANCE,
    );
  }
}

/** What ONNX Runtime makes of tensors, against their exact values. */
export async function compareWithRuntime(
  targets: readonly Tensor[],
  leaves: readonly Tensor[],
  singles: readonly (Float32Array | Uint8Array)[],
  exact: readonly Doubles[],
): Promise<void> {
  const outputs = Object.fromEntries(targets.map((target, index) => [`y${index}`, target]));
  const program = await compile({ outputs }, { threads: 1 });
  try {
    const named = leaves.map((leaf, index) => [leaf.label, singles[index]] as const);
    const feeds = Object.fromEntries(named.filter(([name]) => name in program.inputs)) as Record<
      string,
      Float32Array
    >;
    const results = await program.run(feeds);
    targets.forEach((target, index) => {
      const result = results[`y${index}`];
      const got = decodeNumbers(target.dtype, result?.values ?? new Float32Array());
      const want = (exact[index] as Doubles).data;
      expect(got.length).toBe(want.length);
      const scale = Math.max(1, ...want.map(Math.abs));
      const error = want.reduce((worst, value, i) => {
        const difference = Math.abs(value - (got[i] as number)) / scale;
        return Number.isNaN(difference) ? Number.NaN : Math.max(worst, difference);
      }, 0);
      expect(error, `result ${index} of ONNX Runtime against double precision`).toBeLessThan(
        RUNTIME_TOLERANCE,
      );
    });
  } finally {
    await program.dispose();
  }
}
