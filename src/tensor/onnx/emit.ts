import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import { SwardError, UsageError } from '../../ground/errors.ts';
import { bytesOf, encodeNumbers } from '../graph/dtype.ts';
import {
  type Attribute,
  type Emission,
  int,
  isParameter,
  type LoopBody,
  type Operation,
  type Parameter,
  subgraph,
  type Tensor,
  type TensorSpec,
} from '../graph/operator.ts';
import { type Shape, sizeOf } from '../graph/shape.ts';
import { leavesBefore, operationsBefore } from '../graph/traverse.ts';
import { embeddedInitializer, graphProto, type ModelParts, nodeProto, valueInfo } from './model.ts';
import { type TiledRegion, type TileSizes, tiledRegions } from './tiles.ts';

/** What turns a graph into a model. */
export interface EmissionRequest {
  /** Results by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Parameters that are fed at every run; all others become initializers. */
  readonly isFed: (parameter: Parameter) => boolean;
  /** The initializer for a parameter that is not fed. */
  readonly initializer: (parameter: Parameter) => TensorProto;
  /** Stand-ins for operations, as quantised weights are. */
  readonly replacements?: ReadonlyMap<Operation, Replacement>;
  /** Compute chains of elementwise operations in tiles. */
  readonly tiles?: TileSizes;
  /** Operators of Microsoft's own that the provider has no kernel for. */
  readonly lacking?: readonly string[];
  /** How many channels ONNX Runtime's own convolutions keep together on this processor. */
  readonly channelBlock?: number;
  /** Whether results may come in another shape of as many elements, where that saves a copy. */
  readonly anyShape?: boolean;
}

/** What an operation is replaced by: initializers in place of its second input, and nodes from the others. */
export interface Replacement {
  readonly initializers: readonly TensorProto[];
  emit(emission: Emission, inputs: readonly string[]): readonly string[];
}

/** A model and the leaves it is to be fed. */
export interface EmittedModel {
  readonly parts: ModelParts;
  readonly inputs: readonly Tensor[];
  readonly fed: readonly Parameter[];
  /** The shapes of results: those of the tensors, or, for what is computed in tiles, those of the tiles. */
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** A value whose elements are wanted, and the shape in which they lie. */
interface Lying {
  readonly name: string;
  readonly shape: Shape;
}

/** Operators that only put elements into another order. */
const REORDERING: ReadonlySet<string> = new Set(['Transpose', 'ReorderInput', 'ReorderOutput']);

/** Small constants are shared when they are equal; larger ones by identity. */
const SHARED_CONSTANT_LIMIT = 64;

/**
 * Writes the part of the graph that the outputs need as ONNX nodes, in an order that respects dependence.
 *
 * @throws UsageError when two different leaves have the same name
 */
export function emitModel(request: EmissionRequest): EmittedModel {
  return new ModelEmission(request).finish();
}

class ModelEmission implements Emission {
  readonly #request: EmissionRequest;
  #nodes: NodeProto[] = [];
  readonly #bodyNodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #declared: ValueInfoProto[] = [];
  #names = new Map<Tensor, string>();
  readonly #constants = new Map<string, string>();
  readonly #leaves = new Map<string, Tensor>();
  /** Results, and whatever an operation takes. */
  readonly #used: ReadonlySet<Tensor>;
  readonly #regions: ReadonlyMap<Operation, TiledRegion>;
  readonly #emitted = new Set<TiledRegion>();
  /** Results of tiled regions, as they lie: `[count, planes, length]`. */
  readonly #tiled = new Map<Tensor, Lying>();
  /** Values that only differ in shape from others, by name. */
  readonly #restated = new Map<string, Lying>();
  readonly #produced = new Set<string>();
  readonly inBlocks = new Map<Tensor, string>();
  #count = 0;

  constructor(request: EmissionRequest) {
    this.#request = request;
    const outputs = Object.values(request.outputs);
    const taken = operationsBefore(outputs).flatMap(({ inputs }) => inputs);
    this.#used = new Set([...outputs, ...taken]);
    this.#regions = request.tiles ? tiledRegions(outputs, request.tiles) : new Map();
  }

  finish(): EmittedModel {
    const renamed = new Map<string, string>();
    const shapes: Record<string, Shape> = {};
    const outputs = Object.entries(this.#request.outputs);
    for (const [name, tensor] of outputs) {
      const { name: inner, shape } = this.#result(tensor);
      shapes[name] = shape;
      if (this.#leaves.has(name)) {
        throw new UsageError(`an output and an input or parameter are both called "${name}"; rename one`);
      }
      const shared = renamed.has(inner) || !this.#produced.has(inner);
      renamed.set(shared ? this.node('Identity', [inner]) : inner, name);
    }
    this.#dropUnused(new Set(renamed.keys()));
    for (const node of [...this.#nodes, ...this.#bodyNodes]) {
      node.input = node.input.map((name) => renamed.get(name) ?? name);
      node.output = node.output.map((name) => renamed.get(name) ?? name);
    }
    const leaves = [...this.#leaves.values()];
    const inputs = leaves.filter((leaf) => leaf.origin.kind === 'input');
    const fed = leaves.filter(isParameter).filter(this.#request.isFed);
    return {
      parts: {
        nodes: this.#nodes,
        initializers: this.#initializers,
        inputs: [...inputs, ...fed].map((leaf) => valueInfo(leaf.label, leaf)),
        outputs: outputs.map(([name, { dtype }]) => valueInfo(name, { dtype, shape: shapes[name] ?? [] })),
        declared: this.#declared,
      },
      inputs,
      fed,
      shapes,
    };
  }

  node = (
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string => this.nodes(opType, inputs, 1, attributes, domain)[0] as string;

  nodes = (
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string[] => {
    const outputs = Array.from({ length: count }, () => this.#fresh(opType));
    this.#nodes.push(nodeProto(opType, inputs, outputs, attributes, domain));
    for (const name of outputs) this.#produced.add(name);
    return outputs;
  };

  indices = (values: readonly number[]): string =>
    this.constant({ dtype: 'int64', shape: [values.length] }, encodeNumbers('int64', values));

  constant = (spec: TensorSpec, values: Parameters<typeof bytesOf>[0]): string => {
    const key =
      values.length <= SHARED_CONSTANT_LIMIT
        ? `${spec.dtype}[${spec.shape.join()}] ${Buffer.from(bytesOf(values)).toString('base64')}`
        : undefined;
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = this.#fresh('constant');
    this.#initializers.push(embeddedInitializer(name, spec, bytesOf(values)));
    if (key) this.#constants.set(key, name);
    return name;
  };

  restated = (name: string, from: Shape, to: Shape): string => {
    const result = this.node('Reshape', [name, this.indices(to)]);
    this.#restated.set(result, { name, shape: from });
    return result;
  };

  declare = (name: string, spec: TensorSpec): void => {
    this.#declared.push(valueInfo(name, spec));
  };

  bind = (placeholder: Tensor, name: string): void => {
    this.#names.set(placeholder, name);
  };

  uses = (tensor: Tensor): boolean => this.#used.has(tensor);

  lacks = (opType: string): boolean => this.#request.lacking?.includes(opType) ?? false;

  varies = (tensor: Tensor): boolean =>
    leavesBefore([tensor]).some(
      (leaf) => leaf.origin.kind === 'input' || (isParameter(leaf) && this.#request.isFed(leaf)),
    );

  get channelBlock(): number | undefined {
    return this.#request.channelBlock;
  }

  get piece(): number | undefined {
    return this.#request.tiles?.tile;
  }

  name = (tensor: Tensor): string => {
    const known = this.#names.get(tensor);
    if (known !== undefined) return known;
    if (tensor.origin.kind !== 'operation') return this.#leafName(tensor);
    this.#produce(tensor);
    const tiled = this.#tiled.get(tensor);
    if (tiled) this.#names.set(tensor, this.node('Reshape', [tiled.name, this.indices(tensor.shape)]));
    return this.#names.get(tensor) as string;
  };

  /** As `name`, but in the shape in which the elements lie, as tiles do: nothing but a copy would change that. */
  #result(tensor: Tensor): Lying {
    this.#produce(tensor);
    const tiled = this.#tiled.get(tensor);
    if (tiled) return tiled;
    const name = this.name(tensor);
    const restated = this.#request.anyShape ? this.#restated.get(name) : undefined;
    return restated ?? { name, shape: tensor.shape };
  }

  /** Leaves out other shapes and orders of values that nobody takes: ONNX Runtime would make a copy for them. */
  #dropUnused(results: ReadonlySet<string>): void {
    const taken = new Set([...results, ...this.#bodyNodes.flatMap(({ input }) => input)]);
    const kept: NodeProto[] = [];
    // From the last: what a node that goes took may go too.
    for (const node of this.#nodes.toReversed()) {
      const { opType, input, output } = node;
      const isCopy = this.#restated.has(output[0] ?? '') || REORDERING.has(opType);
      if (isCopy && !taken.has(output[0] ?? '')) continue;
      kept.push(node);
      for (const name of input) taken.add(name);
    }
    this.#nodes = kept.toReversed();
  }

  #produce(tensor: Tensor): void {
    // What has a name was emitted with all before it.
    for (const operation of operationsBefore([tensor], this.#names)) {
      const region = this.#regions.get(operation);
      if (region) this.#emitRegion(region);
      else this.#emitOperation(operation);
    }
  }

  /** A whole region as one loop over its inputs cut into tiles. */
  #emitRegion(region: TiledRegion): void {
    if (this.#emitted.has(region)) return;
    this.#emitted.add(region);
    const cut = region.inputs.map((x) => this.node('Reshape', [this.name(x), this.indices(region.tiles)]));
    const scalars = region.scalars.map((x) =>
      x.shape.length === 0 ? this.name(x) : this.node('Reshape', [this.name(x), this.indices([])]),
    );
    const [count, planes] = region.tiles;
    const levels = region.levels.map(({ tensor, lists, times }) => {
      const list = this.node('Reshape', [this.name(tensor), this.indices([1, sizeOf(tensor.shape), 1])]);
      const repeats = this.indices([lists, sizeOf(tensor.shape), times]);
      const all = lists * times > 1 ? this.node('Expand', [list, repeats]) : list;
      return this.node('Reshape', [all, this.indices([count, planes, 1])]);
    });
    cut.push(...levels);
    const results = this.#scan(cut, this.#bodyOf(region, scalars));
    region.outputs.forEach((y, index) => {
      this.#tiled.set(y, { name: results[index] as string, shape: region.tiles });
    });
  }

  /** What the loop does with one tile. */
  #bodyOf(
    { operations, inputs, levels, scalars, outputs, tiles: [, planes, length] }: TiledRegion,
    single: string[],
  ): GraphProto {
    const numbers = levels.map(({ tensor }) => tensor);
    const tile = (of: number) => (x: Tensor) =>
      valueInfo(this.name(x), { dtype: x.dtype, shape: [planes, of] });
    const whole = tile(length);
    return this.#inside('tile', () => {
      for (const x of [...inputs, ...numbers]) this.#names.set(x, this.#fresh('tile'));
      scalars.forEach((x, index) => {
        this.#names.set(x, single[index] as string);
      });
      for (const operation of operations) this.#emitOperation(operation);
      return { inputs: [...inputs.map(whole), ...numbers.map(tile(1))], outputs: outputs.map(whole) };
    });
  }

  loop = (inputs: readonly string[], { placeholders, results }: LoopBody): string[] => {
    const info = (x: Tensor): ValueInfoProto => valueInfo(this.name(x), x);
    const body = this.#inside('place', () => {
      for (const x of placeholders) this.#names.set(x, this.#fresh('place'));
      return { inputs: placeholders.map(info), outputs: results.map(info) };
    });
    return this.#scan(inputs, body);
  };

  /** A loop over its inputs' first axes. @returns the names of its results */
  #scan(inputs: readonly string[], body: GraphProto): string[] {
    const results = body.output.map(() => this.#fresh('Scan'));
    const attributes = { num_scan_inputs: int(inputs.length), body: subgraph(body) };
    this.#nodes.push(nodeProto('Scan', inputs, results, attributes, ''));
    for (const name of results) this.#produced.add(name);
    return results;
  }

  /** Nodes in a graph of their own, in which tensors have other names. @param emit says how it begins and ends */
  #inside(name: string, emit: () => Pick<ModelParts, 'inputs' | 'outputs'>): GraphProto {
    const around = { nodes: this.#nodes, names: new Map(this.#names) };
    this.#nodes = [];
    const body = graphProto(name, { ...emit(), nodes: this.#nodes, initializers: [], declared: [] });
    this.#bodyNodes.push(...body.node);
    this.#nodes = around.nodes;
    this.#names = around.names;
    return body;
  }

  #emitOperation(operation: Operation): void {
    const first = operation.outputs[0];
    if (first === undefined || this.#names.has(first)) return;
    const replaced = this.#request.replacements?.get(operation);
    const needed = operation.inputs.filter((_, index) => !(replaced && index === 1));
    const inputs = needed.map(this.name);
    this.#initializers.push(...(replaced?.initializers ?? []));
    const names = replaced ? replaced.emit(this, inputs) : operation.operator.emit(this, inputs, operation);
    operation.outputs.slice(0, names.length).forEach((output, index) => {
      this.#names.set(output, names[index] as string);
    });
  }

  #leafName(leaf: Tensor): string {
    if (leaf.origin.kind === 'placeholder') {
      throw new SwardError(
        'a value made inside a checkpointed block is used outside of it; return it from the block',
      );
    }
    if (leaf.origin.kind === 'constant') {
      const name = this.constant(leaf, leaf.origin.values);
      this.#names.set(leaf, name);
      return name;
    }
    const other = this.#leaves.get(leaf.label);
    if (other !== undefined && other !== leaf) {
      throw new UsageError(`two inputs or parameters are called "${leaf.label}"; rename one of them`);
    }
    this.#leaves.set(leaf.label, leaf);
    this.#names.set(leaf, leaf.label);
    if (isParameter(leaf) && !this.#request.isFed(leaf))
      this.#initializers.push(this.#request.initializer(leaf));
    return leaf.label;
  }

  #fresh(stem: string): string {
    this.#count += 1;
    return `${stem}#${this.#count}`;
  }
}

/** Every parameter that the outputs depend on, also those inside checkpointed blocks. */
export function parametersOf(outputs: readonly Tensor[]): Parameter[] {
  return leavesBefore(outputs).filter(isParameter);
}
