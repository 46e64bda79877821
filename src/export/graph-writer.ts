import type { NodeProto, TensorProto } from 'onnx-buf';
import { bytesOf, type DType, onnxTypeCode, type TensorArray } from '../tensor/graph/dtype.ts';
import { type Attribute, int, subgraph } from '../tensor/graph/operator.ts';
import { embeddedInitializer, graphProto, nodeProto, valueInfo } from '../tensor/onnx/model.ts';

/** The ONNX name of a value, or a number that becomes a double. */
export type Operand = string | number;

/**
 * Writes ONNX nodes whose shapes are open until the model runs, which tensors of a graph cannot have: what happens to
 * a photo of any size.
 */
export class GraphWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #constants = new Map<string, string>();
  /** Nodes so far, those of branches too: what names are told apart by. */
  #written = 0;

  /** Adds a node with one output and returns the output's name. */
  node(
    opType: string,
    inputs: readonly Operand[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `photo/${opType}-${this.#written}`,
  ): string {
    this.#written++;
    const names = inputs.map((value) => (typeof value === 'number' ? this.double(value) : value));
    this.nodes.push(nodeProto(opType, names, [output], attributes, ''));
    return output;
  }

  /** A node without attributes. */
  apply(opType: string, ...inputs: readonly Operand[]): string {
    return this.node(opType, inputs);
  }

  /**
   * One of two values, of which the other is not computed.
   *
   * @param condition name of bool [1]
   * @param spec of both; lengths that are open have names
   * @param yes writes what makes the value where the condition holds, `no` where it does not; both give its name
   */
  either(
    condition: string,
    spec: Parameters<typeof valueInfo>[1],
    yes: () => string,
    no: () => string,
  ): string {
    const branch = (write: () => string): Attribute => {
      const before = this.nodes.length;
      const output = write();
      const nodes = this.nodes.splice(before);
      const outputs = [valueInfo(output, spec)];
      return subgraph(graphProto(output, { nodes, initializers: [], inputs: [], outputs, declared: [] }));
    };
    return this.node('If', [condition], { then_branch: branch(yes), else_branch: branch(no) });
  }

  cast(value: string, dtype: DType): string {
    return this.node('Cast', [value], { to: int(onnxTypeCode(dtype)) });
  }

  /** Elements from `start` up to `end` of an axis; both hold one int64. */
  slice(value: string, axis: number, start: string, end: string): string {
    return this.node('Slice', [value, start, end, this.integers([axis])]);
  }

  /** A constant of int64 numbers with one axis. */
  integers(values: readonly number[]): string {
    return this.#constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A scalar int64. */
  integer(value: number): string {
    return this.#constant('int64', [], BigInt64Array.of(BigInt(value)));
  }

  /** A scalar double. */
  double(value: number): string {
    return this.#constant('float64', [], Float64Array.of(value));
  }

  /** A constant of doubles. */
  doubles(values: readonly number[], shape: readonly number[]): string {
    return this.#constant('float64', shape, Float64Array.from(values));
  }

  #constant(dtype: DType, shape: readonly number[], values: TensorArray): string {
    const key = `${dtype}[${shape.join()}] ${values.join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `photo/constant-${this.#constants.size}`;
    this.#constants.set(key, name);
    this.initializers.push(embeddedInitializer(name, { dtype, shape }, bytesOf(values)));
    return name;
  }
}
