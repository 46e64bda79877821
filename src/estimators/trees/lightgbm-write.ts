import { binCount, type ColumnBins } from './bins.ts';
import type { LightGbmModel } from './lightgbm-model.ts';
import type { Tree } from './tree.ts';

/**
 * The model as LightGBM's text file, version v4. Numbers are written with as many digits as give the same
 * double again.
 */
export function formatLightGbm(model: LightGbmModel): string {
  const blocks = model.trees.map((tree, index) => `Tree=${index}\n${formatTree(tree)}\n\n`);
  const encoder = new TextEncoder();
  const header = [
    'tree',
    'version=v4',
    `num_class=${model.outputs}`,
    `num_tree_per_iteration=${model.outputs}`,
    'label_index=0',
    `max_feature_idx=${model.featureNames.length - 1}`,
    ...(model.objective === '' ? [] : [`objective=${model.objective}`]),
    ...(model.averageOutput ? ['average_output'] : []),
    `feature_names=${model.featureNames.join(' ')}`,
    `feature_infos=${model.featureInfos.join(' ')}`,
    `tree_sizes=${blocks.map((block) => encoder.encode(block).length).join(' ')}`,
  ];
  const importances = splitCounts(model)
    .map((count, feature) => ({ count, feature }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || a.feature - b.feature)
    .map(({ count, feature }) => `${model.featureNames[feature]}=${count}`);
  const footer = [
    'end of trees',
    '',
    'feature_importances:',
    ...importances,
    '',
    'parameters:',
    ...model.parameters,
    'end of parameters',
    '',
    'pandas_categorical:null',
  ];
  return `${header.join('\n')}\n\n${blocks.join('')}${footer.join('\n')}\n`;
}

/** Trained trees of one output as a LightGBM model. */
export function toLightGbm(
  trees: readonly Tree[],
  objective: string,
  columns: readonly ColumnBins[],
  parameters: Readonly<Record<string, string | number>>,
): LightGbmModel {
  return {
    objective,
    outputs: 1,
    trees,
    featureNames: columns.map((_, column) => `Column_${column}`),
    featureInfos: columns.map(featureInfo),
    averageOutput: false,
    parameters: Object.entries(parameters).map(([name, value]) => `[${name}: ${value}]`),
  };
}

function formatTree(tree: Tree): string {
  const sets = tree.catBoundaries.length - 1;
  return [
    `num_leaves=${tree.leafValue.length}`,
    `num_cat=${sets}`,
    list('split_feature', tree.splitFeature),
    list('split_gain', tree.splitGain),
    list('threshold', tree.threshold),
    list('decision_type', tree.decisionType),
    list('left_child', tree.leftChild),
    list('right_child', tree.rightChild),
    list('leaf_value', tree.leafValue),
    list('leaf_weight', tree.leafWeight),
    list('leaf_count', tree.leafCount),
    list('internal_value', tree.internalValue),
    list('internal_weight', tree.internalWeight),
    list('internal_count', tree.internalCount),
    ...(sets > 0
      ? [list('cat_boundaries', tree.catBoundaries), list('cat_threshold', tree.catThreshold)]
      : []),
    'is_linear=0',
    `shrinkage=${tree.shrinkage}`,
    '',
  ].join('\n');
}

function list(key: string, values: ArrayLike<number>): string {
  return `${key}=${Array.from(values, numberText).join(' ')}`;
}

/** JavaScript's shortest text that parses to the same double, and C's spelling of what is not finite. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function featureInfo(column: ColumnBins): string {
  if (binCount(column) <= 1) return 'none';
  return column.kind === 'numeric'
    ? `[${column.range[0]}:${column.range[1]}]`
    : [-1, ...column.codes].join(':');
}

function splitCounts({ trees, featureNames }: LightGbmModel): number[] {
  const counts = featureNames.map(() => 0);
  for (const tree of trees) {
    for (const feature of tree.splitFeature) counts[feature] = (counts[feature] ?? 0) + 1;
  }
  return counts;
}
