import { fromBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataType as Type,
  type ValueInfoProto,
} from 'onnx-buf';
import { vi } from 'vitest';
import type { CompileOptions } from '../../../src/tensor/index.ts';
import { InferenceSession } from '../../../src/tensor/program/runtime.ts';

/** The graphs that ONNX Runtime would be given. */
export async function graphsFor(
  options: CompileOptions,
  compileThem: (options: CompileOptions) => Promise<unknown>,
): Promise<GraphProto[]> {
  const graphs: GraphProto[] = [];
  const create = vi.spyOn(InferenceSession, 'create').mockImplementation((async (bytes: Uint8Array) => {
    const { graph } = fromBinary(ModelProtoSchema, bytes);
    if (graph) graphs.push(graph);
    return { release: async () => {} };
  }) as unknown as typeof InferenceSession.create);
  try {
    await compileThem(options);
  } finally {
    create.mockRestore();
  }
  return graphs;
}

const NAMES: Readonly<Record<number, string>> = {
  [Type.FLOAT]: 'float32',
  [Type.FLOAT16]: 'float16',
  [Type.BFLOAT16]: 'bfloat16',
  [Type.BOOL]: 'bool',
  [Type.INT64]: 'int64',
};

/** Of a graph's input or output its element type, and how many elements it has. */
export function shapeOf({ type }: ValueInfoProto): { readonly type: string; readonly elements: number } {
  const value = type?.value;
  if (value?.case !== 'tensorType') return { type: 'none', elements: 0 };
  const lengths = value.value.shape?.dim.map(({ value: length }) => Number(length.value)) ?? [];
  return { type: NAMES[value.value.elemType] ?? 'other', elements: lengths.reduce((a, b) => a * b, 1) };
}

const TO_BOOL = ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal', 'And', 'Or', 'Not', 'IsNaN'];

/** A node with the element types of what it takes. */
export interface TypedNode {
  readonly node: NodeProto;
  readonly types: readonly string[];
}

/** Every node with its types, as the operators' definitions say; nodes are in an order that respects dependence. */
export function typedNodes({ node: nodes, input, initializer }: GraphProto): TypedNode[] {
  const types = new Map<string, string>();
  for (const value of input) types.set(value.name, shapeOf(value).type);
  for (const { name, dataType } of initializer) types.set(name, NAMES[dataType] ?? 'other');
  return nodes.map((node) => {
    const taken = node.input.map((name) => types.get(name) ?? '');
    const [first = '', second = ''] = taken;
    const to = node.attribute.find(({ name }) => name === 'to')?.i;
    const given =
      node.opType === 'Cast'
        ? (NAMES[Number(to)] ?? 'other')
        : TO_BOOL.includes(node.opType)
          ? 'bool'
          : node.opType === 'Where'
            ? second
            : first;
    node.output.forEach((name, index) => {
      types.set(name, node.opType === 'MaxPool' && index === 1 ? 'int64' : given);
    });
    return { node, types: taken };
  });
}
