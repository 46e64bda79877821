import {
  type Attribute,
  apply,
  floats,
  int,
  ints,
  type Operator,
  text,
  texts,
} from '../../tensor/graph/operator.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import { cast, type Tensor } from '../../tensor/index.ts';

/** A node: x ≤ threshold of a column goes to node `below`, the rest to `above`; or a leaf with a value an output. */
export type TreeNode =
  | { readonly column: number; readonly threshold: number; readonly below: number; readonly above: number }
  | { readonly values: readonly number[] };

/** Trees whose values are added up; the first node of each is its root. */
export interface TreeEnsemble {
  readonly trees: readonly (readonly TreeNode[])[];
  /** What every output starts from. */
  readonly base: readonly number[];
}

const TREE_ENSEMBLE: Operator<readonly [Tensor], TreeEnsemble> = {
  name: 'treeEnsemble',
  outputs: ([x], { base }) => [{ dtype: 'float32', shape: [lengthAt(x.shape, 0), base.length] }],
  emit: ({ node }, inputs, { attributes }) => [
    node('TreeEnsembleRegressor', inputs, ensembleAttributes(attributes), 'ai.onnx.ml'),
  ],
};

/**
 * The sums of trees' leaves (ONNX-ML `TreeEnsembleRegressor`).
 *
 * @param features `[batch, columns]`, rounded to single precision first; thresholds are rounded so that every
 *   single-precision number falls on its side
 * @returns `[batch, outputs]` float32
 */
export const treeEnsemble = (features: Tensor, ensemble: TreeEnsemble): Tensor =>
  apply(TREE_ENSEMBLE, [cast(features, 'float32')], ensemble);

function ensembleAttributes({ trees, base }: TreeEnsemble): Record<string, Attribute> {
  const nodes = trees.flatMap((tree, index) => tree.map((node, number) => ({ node, index, number })));
  const branches = nodes.map(({ node }) =>
    'values' in node ? { column: 0, threshold: 0, below: 0, above: 0 } : node,
  );
  const leaves = nodes.flatMap(({ node, index, number }) =>
    'values' in node ? node.values.map((value, output) => ({ index, number, output, value })) : [],
  );
  return {
    aggregate_function: text('SUM'),
    n_targets: int(base.length),
    base_values: floats(base),
    nodes_treeids: ints(nodes.map(({ index }) => index)),
    nodes_nodeids: ints(nodes.map(({ number }) => number)),
    nodes_modes: texts(nodes.map(({ node }) => ('values' in node ? 'LEAF' : 'BRANCH_LEQ'))),
    nodes_featureids: ints(branches.map(({ column }) => column)),
    nodes_values: floats(branches.map(({ threshold }) => roundedDown(threshold))),
    nodes_truenodeids: ints(branches.map(({ below }) => below)),
    nodes_falsenodeids: ints(branches.map(({ above }) => above)),
    target_treeids: ints(leaves.map(({ index }) => index)),
    target_nodeids: ints(leaves.map(({ number }) => number)),
    target_ids: ints(leaves.map(({ output }) => output)),
    target_weights: floats(leaves.map(({ value }) => value)),
  };
}

/** The largest single-precision number that is not above `value`. */
function roundedDown(value: number): number {
  const near = Math.fround(value);
  if (!(near > value)) return near;
  if (near === 0) return -(2 ** -149);
  const bits = new Int32Array(new Float32Array([near]).buffer);
  // One step towards minus infinity: the bits of positive numbers fall, those of negative ones rise.
  bits[0] = (bits[0] as number) + (near > 0 ? -1 : 1);
  return new Float32Array(bits.buffer)[0] as number;
}
