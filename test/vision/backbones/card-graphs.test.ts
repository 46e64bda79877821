import type { GraphProto } from 'onnx-buf';
import { describe, expect, it, vi } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  adamW,
  type CompileOptions,
  input,
  mean,
  type Parameter,
  type Precision,
  parametersOf,
  Scope,
  sizeOf,
  square,
  Training,
} from '../../../src/tensor/index.ts';
import type { Backbone, Size } from '../../../src/vision/backbones/index.ts';
import { CUDA_KERNELS, OF_THEIR_OWN } from '../../tensor/precision/cuda-kernels.ts';
import { graphsFor, shapeOf, type TypedNode, typedNodes } from '../../tensor/precision/emitted.ts';
import { HIERARCHICAL } from './hierarchical.ts';
import { TINY } from './tiny.ts';

// As where the CUDA libraries are: graphs are made for them, and no session is opened.
vi.mock(import('../../../src/tensor/program/runtime.ts'), async (original) => ({
  ...(await original()),
  listSupportedBackends: () => [{ name: 'cuda', bundled: true }],
}));

const BACKBONES: readonly { readonly name: string; readonly backbone: Backbone; readonly size: Size }[] = [
  ...TINY,
  ...HIERARCHICAL,
];

/** A whole step of training, with all that a step can have. */
async function stepGraph(
  { backbone, size }: (typeof BACKBONES)[number],
  precision: Precision,
): Promise<{ readonly graph: GraphProto; readonly parameters: readonly Parameter[] }> {
  const scope = Scope.root({ random: randomStream(1) });
  const images = input('images', [2, 3, ...size]);
  const { pooled } = backbone.forward(scope.forTraining(), images, { dropPath: 0.1 });
  const parameters = parametersOf([pooled]).filter(({ trainable }) => trainable);
  const spec = {
    ...{ loss: mean(square(pooled)), optimizer: adamW(), groups: [{ parameters }], random: randomStream(2) },
    ...{ averageDecay: 0.9, ...(precision === 'float16' && { clipNorm: 1, lossScaling: {} }) },
  };
  const compileIt = (options: CompileOptions): Promise<Training> => Training.compile(spec, options);
  const [graph] = await graphsFor({ precision, provider: 'cuda' }, compileIt);
  if (graph === undefined) throw new Error('nothing was compiled');
  return { graph, parameters };
}

/** Of a node, what of its operands' types its kernel must have. */
function lacking({ node, types }: TypedNode): string[] {
  const kernels = CUDA_KERNELS[node.opType];
  if (kernels === undefined) return [`${node.opType}: no kernel`];
  return types.flatMap((type, index) => {
    const isOfItsOwn = type === '' || OF_THEIR_OWN[node.opType]?.includes(index);
    return isOfItsOwn || kernels.includes(type) ? [] : [`${node.opType} of ${type}`];
  });
}

const PRODUCTS = ['Gemm', 'MatMul', 'FusedMatMul', 'MultiHeadAttention'];
const CONVOLUTIONS = ['Conv', 'ConvTranspose'];
const IN_SINGLE = [
  ...['LayerNormalization', 'BatchNormalization', 'Softmax', 'LogSoftmax'],
  ...['ReduceSum', 'ReduceMean', 'ReduceSumSquare', 'ReduceMax', 'ReduceMin'],
];

const isFloat = (type: string): boolean => /float/.test(type);

/** Float types of what nodes of these operators take. */
const typesOf = (nodes: readonly TypedNode[], opTypes: readonly string[]): string[] => [
  ...new Set(
    nodes.flatMap(({ node, types }) => (opTypes.includes(node.opType) ? types.filter(isFloat) : [])),
  ),
];

/** Names that are cast from one precision to the other more than once, or were just cast from there. */
function idleCasts(nodes: readonly TypedNode[]): string[] {
  const casts = nodes.filter(({ node, types: [from = ''] }) => node.opType === 'Cast' && isFloat(from));
  const sources = casts.map(({ node }) => node.input[0] as string);
  const made = new Set(casts.flatMap(({ node }) => node.output));
  return sources.filter((name, index) => made.has(name) || sources.indexOf(name) !== index);
}

/** Squares among what is handed to kernels, also where they were cast since. */
function squaresHome({ node: nodes, output }: GraphProto): string[] {
  const makers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  return output.flatMap(({ name }) => {
    const last = makers.get(name);
    const maker = last?.opType === 'Cast' ? makers.get(last.input[0] ?? '') : last;
    return maker?.opType === 'Mul' && maker.input[0] === maker.input[1] ? [name] : [];
  });
}

describe.each(['float16', 'bfloat16'] as const)('a step for a card in %s', (precision) => {
  it.each(BACKBONES)('has kernels, casts at the borders of products and no moments: $name', async (case_) => {
    const { graph, parameters } = await stepGraph(case_, precision);
    const nodes = typedNodes(graph);
    expect([...new Set(nodes.flatMap(lacking))]).toEqual([]);
    expect(typesOf(nodes, PRODUCTS)).toEqual([precision]);
    expect(typesOf(nodes, CONVOLUTIONS)).toEqual([precision === 'float16' ? 'float16' : 'float32']);
    expect(typesOf(nodes, IN_SINGLE)).toEqual(['float32']);
    expect(idleCasts(nodes)).toEqual([]);
    for (const { node, types } of nodes)
      expect(new Set(types.filter(isFloat)).size, node.opType).toBeLessThan(2);
    // Of each weight its gradient comes home, in full, and no square of it: squares are the optimizer's, at home.
    const home = graph.output.filter(({ name }) => name.startsWith('given.')).map(shapeOf);
    expect(new Set(home.map(({ type }) => type))).toEqual(new Set(['float32']));
    expect(squaresHome(graph)).toEqual([]);
    if (precision === 'float16') {
      const sizes = parameters.map(({ shape }) => sizeOf(shape)).filter((size) => size > 1);
      expect(home.flatMap(({ elements }) => (elements > 1 ? [elements] : [])).sort()).toEqual(sizes.sort());
    }
    const handed = [...graph.input, ...graph.output].map(({ name }) => name);
    expect(handed.filter((name) => /^(adam|average|next)\b/.test(name))).toEqual([]);
  });
});
