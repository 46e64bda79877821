import { UsageError } from '../../ground/errors.ts';
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
import { absolute, cast, concat, exponential, multiply, type Tensor } from '../../tensor/index.ts';
import { type CatBoostModel, hasLogarithmicScores, type ObliviousTree } from './catboost-model.ts';
import { type LightGbmModel, scoreScale } from './lightgbm-model.ts';
import { CATEGORICAL, type Tree, ZERO_IS_MISSING } from './tree.ts';

/**
 * LightGBM models of one output each as a graph, one column a model.
 *
 * @param features `[batch, features]`
 * @returns `[batch, models]` float32
 * @throws UsageError for trees that ask for categories or count 0 as missing
 */
export function lightGbmGraph(models: readonly LightGbmModel[], features: Tensor): Tensor {
  return concat(
    models.map((model) => predictionsGraph(model, features)),
    1,
  );
}

function predictionsGraph(model: LightGbmModel, features: Tensor): Tensor {
  const share = model.averageOutput ? 1 / model.trees.length : 1;
  const trees = model.trees.map((tree) => leafwiseNodes(tree, share));
  const scores = treeEnsemble(features, { trees, base: [0] });
  const scale = scoreScale(model.objective);
  if (scale === 'exponential') return exponential(scores);
  return scale === 'plain' ? scores : multiply(scores, absolute(scores));
}

/**
 * A CatBoost model of numeric features as a graph.
 *
 * @param features `[batch, features]`
 * @returns `[batch, outputs]` float32
 * @throws UsageError for a model that looks at categories
 */
export function catBoostGraph(model: CatBoostModel, features: Tensor): Tensor {
  if (model.categories.length > 0) throw notNumeric('categorical columns');
  const columns = model.floats.map(({ flatIndex }) => flatIndex);
  const trees = model.trees.map((tree) => obliviousNodes(tree, columns, model.bias.length, model.scale));
  const scores = treeEnsemble(features, { trees, base: model.bias });
  return hasLogarithmicScores(model) ? exponential(scores) : scores;
}

/** A leaf-wise tree: inner nodes under their own numbers, leaves after them. */
function leafwiseNodes(tree: Tree, share: number): TreeNode[] {
  if (tree.decisionType.some((type) => (type & (CATEGORICAL | ZERO_IS_MISSING)) !== 0)) {
    throw notNumeric('categorical columns, or zeros that count as missing,');
  }
  const inner = tree.leftChild.length;
  const at = (child: number): number => (child >= 0 ? child : inner - 1 - child);
  const branches = Array.from(
    { length: inner },
    (_, node): TreeNode => ({
      column: tree.splitFeature[node] as number,
      threshold: tree.threshold[node] as number,
      below: at(tree.leftChild[node] as number),
      above: at(tree.rightChild[node] as number),
    }),
  );
  return [...branches, ...Array.from(tree.leafValue, (value): TreeNode => ({ values: [value * share] }))];
}

/** A symmetric tree written out: a complete binary tree whose levels ask for the splits in turn, the last one first. */
function obliviousNodes(
  { splits, leafValues }: ObliviousTree,
  columns: readonly number[],
  outputs: number,
  scale: number,
): TreeNode[] {
  const nodes: TreeNode[] = [];
  // In the order of levels: node n has the children 2n + 1 and 2n + 2.
  for (let level = 0; level < splits.length; level++) {
    const split = splits[splits.length - 1 - level];
    for (let i = 0; i < 2 ** level; i++) {
      const node = nodes.length;
      nodes.push({
        column: columns[split?.column ?? -1] ?? 0,
        threshold: split?.border ?? 0,
        below: 2 * node + 1,
        above: 2 * node + 2,
      });
    }
  }
  for (let leaf = 0; leaf < 2 ** splits.length; leaf++) {
    const values = leafValues.subarray(leaf * outputs, (leaf + 1) * outputs);
    nodes.push({ values: Array.from(values, (value) => value * scale) });
  }
  return nodes;
}

const notNumeric = (what: string): UsageError =>
  new UsageError(`trees with ${what} cannot be written as an ONNX model; train without them to export`);

/** A node: x ≤ threshold of a column goes to node `below`, the rest to `above`; or a leaf with a value an output. */
type TreeNode =
  | { readonly column: number; readonly threshold: number; readonly below: number; readonly above: number }
  | { readonly values: readonly number[] };

/** Trees whose values are added up; the first node of each is its root. */
interface TreeEnsemble {
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
const treeEnsemble = (features: Tensor, ensemble: TreeEnsemble): Tensor =>
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
