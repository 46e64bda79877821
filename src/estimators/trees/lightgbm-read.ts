import { InputError } from '../../ground/errors.ts';
import type { LightGbmModel } from './lightgbm-model.ts';
import { CATEGORICAL, type Tree } from './tree.ts';

const REMEDY = 'save it again with LightGBM 3 or 4 or with sward';
const VERSIONS = ['v3', 'v4'];
/** Below this word no file has a number that it needs. */
const WORD = 2 ** 32;

/**
 * Reads LightGBM's text format, versions v3 and v4.
 *
 * @param where how messages call the file
 * @throws InputError in one line when a line is missing or damaged, a child or feature is out of range, a
 *   tree is not a tree, or the model has linear leaves
 */
export function parseLightGbm(text: string, where: string): LightGbmModel {
  const lines = text.split(/\r\n|\n/).map((line) => line.trimEnd());
  const fail = (what: string, remedy = REMEDY): never => {
    throw new InputError(where, what, remedy);
  };
  if (lines[0] !== 'tree') fail('is no LightGBM text model: its first line is not "tree"');
  const firstTree = lines.findIndex((line) => line.startsWith('Tree='));
  const end = lines.indexOf('end of trees');
  if (end < 0) fail('is cut off: it lacks the line "end of trees"');
  const header = entries(lines.slice(1, firstTree < 0 ? end : firstTree));
  const version = header.get('version') ?? '';
  if (!VERSIONS.includes(version)) fail(`has version "${version}", not ${VERSIONS.join(' or ')}`);
  const count = (key: string): number => {
    const value = Number(header.get(key) ?? 'missing');
    return Number.isInteger(value) && value >= 0 ? value : fail(`lacks a whole number ${key}`);
  };
  const width = count('max_feature_idx') + 1;
  const featureNames = (header.get('feature_names') ?? '').split(' ').filter((name) => name !== '');
  if (featureNames.length !== width) fail(`names ${featureNames.length} features but has ${width}`);
  const outputs = count('num_tree_per_iteration');
  if (outputs < 1) fail('has no output');
  const trees =
    firstTree < 0
      ? []
      : treeBlocks(lines.slice(firstTree, end), fail).map((block, index) =>
          parseTree(block, index, width, where),
        );
  const declared = (header.get('tree_sizes') ?? '').split(' ').filter((size) => size !== '').length;
  if (header.has('tree_sizes') && declared !== trees.length) {
    fail(`announces ${declared} trees but holds ${trees.length}`);
  }
  if (trees.length % outputs !== 0) fail(`has ${trees.length} trees for ${outputs} outputs`);
  const from = lines.indexOf('parameters:');
  const to = lines.indexOf('end of parameters');
  const infos = (header.get('feature_infos') ?? '').split(' ').filter((info) => info !== '');
  return {
    objective: header.get('objective') ?? '',
    outputs,
    trees,
    featureNames,
    featureInfos: infos.length === width ? infos : featureNames.map(() => 'none'),
    averageOutput: lines.slice(0, firstTree < 0 ? end : firstTree).includes('average_output'),
    parameters: from >= 0 && to > from ? lines.slice(from + 1, to).filter((line) => line !== '') : [],
  };
}

function entries(lines: readonly string[]): Map<string, string> {
  const found = lines.map((line) => [line, line.indexOf('=')] as const).filter(([, at]) => at > 0);
  return new Map(found.map(([line, at]) => [line.slice(0, at), line.slice(at + 1)]));
}

function treeBlocks(lines: readonly string[], fail: (what: string) => never): Map<string, string>[] {
  const blocks: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('Tree=')) {
      if (line !== `Tree=${blocks.length}`) fail(`has "${line}" where Tree=${blocks.length} was due`);
      blocks.push([]);
    } else blocks.at(-1)?.push(line);
  }
  return blocks.map(entries);
}

function parseTree(block: Map<string, string>, index: number, width: number, where: string): Tree {
  const fail = (what: string, remedy = REMEDY): never => {
    throw new InputError(`${where} tree ${index}`, what, remedy);
  };
  if (Number(block.get('is_linear') ?? 0) !== 0) fail('has linear leaves', 'train it with linear_tree=false');
  const leaves = Number(block.get('num_leaves') ?? 'missing');
  if (!Number.isInteger(leaves) || leaves < 1) fail('lacks a whole number num_leaves');
  const numbers = (key: string, length: number, required: boolean): number[] => {
    const text = block.get(key) ?? '';
    if (text === '' && (!required || length === 0)) return new Array<number>(length).fill(0);
    const values = text.split(' ').map(numberOf);
    if (values.length !== length) fail(`has ${values.length} values of ${key}, not ${length}`);
    const bad = values.findIndex(Number.isNaN);
    if (bad >= 0) fail(`value ${bad + 1} of ${key} is not a number`);
    return values;
  };
  const integers = (key: string, length: number, low: number, high: number): number[] => {
    const values = numbers(key, length, true);
    const bad = values.findIndex((value) => !Number.isInteger(value) || value < low || value > high);
    if (bad >= 0)
      fail(`value ${bad + 1} of ${key} is ${values[bad]}, not a whole number from ${low} to ${high}`);
    return values;
  };
  const nodes = leaves - 1;
  const leftChild = Int32Array.from(integers('left_child', nodes, -leaves, nodes - 1));
  const rightChild = Int32Array.from(integers('right_child', nodes, -leaves, nodes - 1));
  requireTree(leftChild, rightChild, leaves, fail);
  const decisionType = Uint8Array.from(integers('decision_type', nodes, 0, 15));
  const threshold = Float64Array.from(numbers('threshold', nodes, true));
  const sets = Number(block.get('num_cat') ?? 0);
  const catBoundaries = Int32Array.from(sets > 0 ? integers('cat_boundaries', sets + 1, 0, WORD) : [0]);
  const words = catBoundaries[catBoundaries.length - 1] as number;
  const catThreshold = Uint32Array.from(sets > 0 ? integers('cat_threshold', words, 0, WORD - 1) : []);
  decisionType.forEach((type, node) => {
    const set = threshold[node] as number;
    if (type & CATEGORICAL && !(Number.isInteger(set) && set >= 0 && set < sets)) {
      fail(`node ${node} names the category set ${set} of ${sets}`);
    }
  });
  return {
    splitFeature: Int32Array.from(integers('split_feature', nodes, 0, width - 1)),
    splitGain: Float64Array.from(numbers('split_gain', nodes, false)),
    threshold,
    decisionType,
    leftChild,
    rightChild,
    leafValue: Float64Array.from(numbers('leaf_value', leaves, true)),
    leafWeight: Float64Array.from(numbers('leaf_weight', leaves, false)),
    leafCount: Float64Array.from(numbers('leaf_count', leaves, false)),
    internalValue: Float64Array.from(numbers('internal_value', nodes, false)),
    internalWeight: Float64Array.from(numbers('internal_weight', nodes, false)),
    internalCount: Float64Array.from(numbers('internal_count', nodes, false)),
    catBoundaries,
    catThreshold,
    shrinkage: Number(block.get('shrinkage') ?? 1),
  };
}

/** Every node but the root, and every leaf, must be the child of exactly one node, and nodes come after parents. */
function requireTree(
  left: Int32Array,
  right: Int32Array,
  leaves: number,
  fail: (what: string) => never,
): void {
  const seen = new Set<number>();
  for (let node = 0; node < left.length; node++) {
    for (const child of [left[node] as number, right[node] as number]) {
      // A child before its parent could close a circle, which no prediction would leave.
      if (child >= 0 && child <= node) fail(`node ${node} has node ${child} for a child`);
      if (seen.has(child)) fail(`${child < 0 ? `leaf ${-1 - child}` : `node ${child}`} has two parents`);
      seen.add(child);
    }
  }
  if (left.length > 0 && seen.size !== left.length - 1 + leaves) fail('has parts that cannot be reached');
}

function numberOf(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}
