import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
} from 'onnx-buf';
import { SwardError } from '../../ground/errors.ts';
import type { DType, TensorArray } from './dtype.ts';
import { type Shape, showShape } from './shape.ts';

/*
 * Tensors know the operation they come from, and operations the tensors they take and give: what a graph is made of
 * is described in one place.
 */

/** What is known about a value before anything runs. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * A value in the graph: an immutable description of an array that a program will compute. It has a static shape
 * and dtype, and knows the operation or leaf it comes from; there is no graph object besides.
 */
export interface Tensor extends TensorSpec {
  /** How errors call it: the name of a leaf, or the operator it came from. */
  readonly label: string;
  readonly origin: Origin;
}

type Origin =
  | { readonly kind: 'operation'; readonly operation: Operation; readonly output: number }
  // A value the caller feeds; a random mask where it says how likely a 1 is in it.
  | { readonly kind: 'input'; readonly keep?: number }
  | { readonly kind: 'constant'; readonly values: TensorArray }
  | ParameterOrigin
  | { readonly kind: 'placeholder' };

interface ParameterOrigin {
  readonly kind: 'parameter';
  readonly initial: InitialValue;
}

/** Where a parameter's first value lies. */
export type InitialValue =
  | { readonly from: 'array'; readonly values: TensorArray }
  | { readonly from: 'generator'; readonly generate: () => TensorArray }
  | { readonly from: 'zeros' }
  | FileValue;

/** Bytes of a file, used in place. `dtype` is that of the file. */
export interface FileValue {
  readonly from: 'file';
  readonly path: string;
  readonly dtype: DType;
  /** Byte offset of the first element from the start of the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
}

/**
 * A named weight. A constant one becomes part of the program; a variable one is fed from, and updated in, a
 * `Variables` store. The name is that in the weights file.
 */
export interface Parameter extends Tensor {
  readonly name: string;
  /** Whether an optimizer may change it. */
  readonly trainable: boolean;
  /** Whether training changes it at all: trainable ones, and running statistics. */
  readonly variable: boolean;
  readonly origin: ParameterOrigin;
}

/** The value of an ONNX attribute, which says of what kind it is. */
export type Attribute = Pick<AttributeProto, 'type'> &
  Partial<Pick<AttributeProto, 'i' | 'f' | 's' | 'ints' | 'floats' | 'strings' | 'g'>>;

const encoded = (value: string) => new TextEncoder().encode(value);

export const int = (value: number): Attribute => ({ type: AttributeType.INT, i: BigInt(value) });
export const float = (value: number): Attribute => ({ type: AttributeType.FLOAT, f: value });
export const text = (value: string): Attribute => ({ type: AttributeType.STRING, s: encoded(value) });
export const ints = (values: readonly number[]): Attribute => ({
  type: AttributeType.INTS,
  ints: values.map(BigInt),
});
export const floats = (values: readonly number[]): Attribute => ({
  type: AttributeType.FLOATS,
  floats: [...values],
});
export const texts = (values: readonly string[]): Attribute => ({
  type: AttributeType.STRINGS,
  strings: values.map(encoded),
});
export const subgraph = (value: GraphProto): Attribute => ({ type: AttributeType.GRAPH, g: value });

/** What an operator writes its ONNX nodes to. Values are ONNX names; `''` stands for an omitted input. */
export interface Emission {
  /** Adds a node with one output and returns the output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ): string;
  /** Adds a node with `count` outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ): string[];
  /** A constant of int64 numbers with one axis: axes, shapes, indices. */
  indices(values: readonly number[]): string;
  /** A constant of any kind. */
  constant(spec: TensorSpec, values: TensorArray): string;
  /** Gives a value another shape, except where it is a result: there its elements are wanted, and a copy saved. */
  restated(name: string, from: Shape, to: Shape): string;
  /** States a shape that ONNX cannot infer, so that buffers can be planned. */
  declare(name: string, spec: TensorSpec): void;
  /** The ONNX name of a tensor, emitting what it depends on first. */
  name(tensor: Tensor): string;
  /** Elements of a piece that fits a core's cache, where work is to be cut into such. */
  readonly piece: number | undefined;
  /**
   * Does the same for every place of its inputs' first axis, one after another.
   *
   * @param body the results of one place, of placeholders that stand for it, in the order of the inputs
   * @returns the results of all places, along a first axis of their own
   */
  loop(inputs: readonly string[], body: LoopBody): string[];
  /** Lets a placeholder stand for an ONNX name. */
  bind(placeholder: Tensor, name: string): void;
  /** Whether the program needs this tensor for anything else: lets an operator choose between two forms. */
  uses(tensor: Tensor): boolean;
  /** Whether the provider has no kernel for an operator of Microsoft's own. */
  lacks(opType: string): boolean;
  /** Whether a run may give it other values than the run before: it depends on what is fed. */
  varies(tensor: Tensor): boolean;
  /** How many channels lie together in the maps of ONNX Runtime's own convolutions, where it has such. */
  readonly channelBlock: number | undefined;
  /** ONNX names of maps whose channels lie together in such blocks. */
  readonly inBlocks: Map<Tensor, string>;
}

/** What a loop does at one place. */
export interface LoopBody {
  readonly placeholders: readonly Tensor[];
  readonly results: readonly Tensor[];
}

/** What a gradient rule sees. `gradient` belongs to the first output. */
export interface GradientContext<Inputs extends readonly Tensor[], Attributes> {
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly output: Tensor;
  readonly outputs: readonly Tensor[];
  readonly gradient: Tensor;
  readonly gradients: readonly (Tensor | undefined)[];
  /** Whether anybody wants an input's gradient. */
  wants(input: Tensor): boolean;
}

/**
 * Gradient of one input, made only when it is needed; `undefined` where nothing flows (indices, masks), from the
 * start or once it was looked for.
 */
export type GradientRule = (() => Tensor | undefined) | undefined;

/**
 * One operator: how shapes follow, which ONNX nodes compute it, and how gradients flow back, side by side.
 * Adding an operator is writing one of these and a function that applies it.
 */
export interface Operator<Inputs extends readonly Tensor[] = readonly Tensor[], Attributes = unknown> {
  readonly name: string;
  /** Whether every element of the output depends on the inputs' elements at its own place only. */
  readonly elementwise?: boolean;
  /** The shape rule. @throws ShapeError where the inputs do not fit */
  outputs(inputs: Inputs, attributes: Attributes): readonly TensorSpec[];
  /** The ONNX nodes; returns the name of every output. */
  emit(
    emission: Emission,
    inputs: { readonly [K in keyof Inputs]: string },
    operation: Operation<Inputs, Attributes>,
  ): readonly string[];
  /** One rule an input; absent where no gradient can pass. */
  gradient?(context: GradientContext<Inputs, Attributes>): readonly GradientRule[];
  /** How to apply it anew to other inputs, for operators whose attributes hold tensors. */
  rebuild?(inputs: Inputs, attributes: Attributes): readonly Tensor[];
  /** How to apply it in a copy of the whole graph, of which `copy` gives the tensors that attributes hold. */
  inCopy?(inputs: Inputs, attributes: Attributes, copy: (tensor: Tensor) => Tensor): readonly Tensor[];
}

/** One use of an operator. */
export interface Operation<Inputs extends readonly Tensor[] = readonly Tensor[], Attributes = unknown> {
  readonly operator: Operator<Inputs, Attributes>;
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly outputs: readonly Tensor[];
}

/** Applies an operator and returns all its outputs. @throws ShapeError from the operator's shape rule */
export function applyAll<Inputs extends readonly Tensor[], Attributes>(
  operator: Operator<Inputs, Attributes>,
  inputs: Inputs,
  attributes: Attributes,
): readonly Tensor[] {
  const specs = operator.outputs(inputs, attributes);
  const outputs: Tensor[] = [];
  const operation = { operator, inputs, attributes, outputs } as unknown as Operation;
  specs.forEach((spec, output) => {
    outputs.push({ ...spec, label: operator.name, origin: { kind: 'operation', operation, output } });
  });
  return outputs;
}

/** Applies an operator with one output (or whose first is the one of interest). */
export function apply<Inputs extends readonly Tensor[], Attributes>(
  operator: Operator<Inputs, Attributes>,
  inputs: Inputs,
  attributes: Attributes,
): Tensor {
  const [first] = applyAll(operator, inputs, attributes);
  if (first === undefined) throw new SwardError(`operator ${operator.name} yields nothing; report this`);
  return first;
}

/** The operation a tensor comes from, or undefined for a leaf. */
export const operationOf = (tensor: Tensor): Operation | undefined =>
  tensor.origin.kind === 'operation' ? tensor.origin.operation : undefined;

/** Whether a tensor is a parameter. */
export const isParameter = (tensor: Tensor): tensor is Parameter => tensor.origin.kind === 'parameter';

/** `norm1.weight float32[384]`, as errors print it. */
export const describe = (tensor: Tensor): string =>
  `${tensor.label} ${tensor.dtype}${showShape(tensor.shape)}`;
