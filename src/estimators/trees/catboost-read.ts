import { z } from 'zod';
import { InputError, messageOf } from '../../ground/errors.ts';
import {
  allTests,
  type CatBoostModel,
  MISSING_TREATMENTS,
  type ModelTest,
  type ObliviousTree,
} from './catboost-model.ts';

const REMEDY = 'save it again as JSON with CatBoost or with sward';
const DEEPEST = 16;

const index = z.int().min(0);
/** JSON has no infinity, and CatBoost no number without a value. */
const numbers = z.array(z.number());

const feature = z.object({
  feature_index: index,
  flat_feature_index: index,
  feature_id: z.string().default(''),
  feature_name: z.string().optional(),
});

const floatFeature = feature.extend({
  nan_value_treatment: z.enum(MISSING_TREATMENTS).default('AsIs'),
  borders: numbers.nullish(),
});

const categoryFeature = feature.extend({ values: z.array(z.int()).optional() });

const statistic = z.object({
  identifier: z.string(),
  elements: z.array(z.looseObject({ combination_element: z.string(), cat_feature_index: index.optional() })),
  ctr_type: z.string(),
  target_border_idx: index,
  prior_numerator: z.number(),
  prior_denomerator: z.number(),
  shift: z.number(),
  scale: z.number(),
  borders: numbers.nullish(),
});

const tree = z.object({
  leaf_values: numbers,
  leaf_weights: numbers.optional(),
  splits: z
    .array(z.object({ split_index: index, split_type: z.string(), border: z.number().optional() }))
    .nullish(),
});

const document = z.object({
  model_info: z
    .object({
      params: z
        .object({ loss_function: z.object({ type: z.string() }) })
        .optional()
        .catch(undefined),
    })
    .optional(),
  features_info: z.object({
    float_features: z.array(floatFeature).nullish(),
    categorical_features: z.array(categoryFeature).nullish(),
    ctrs: z.array(statistic).nullish(),
  }),
  ctr_data: z
    .record(
      z.string(),
      z.object({ hash_map: z.array(z.union([z.string(), z.number()])), hash_stride: z.int().min(2) }),
    )
    .nullish(),
  oblivious_trees: z.array(tree),
  scale_and_bias: z.tuple([z.number(), z.union([z.number(), numbers])]),
});

type Document = z.output<typeof document>;

/**
 * Reads CatBoost's JSON format: symmetric trees on numbers, one-hot categories and target statistics of single
 * categories.
 *
 * @param where how messages call the file
 * @throws InputError in one line when the text is no such document, a tree does not fit its features, or the
 *   model uses what is not supported (other trees, combinations of categories, other statistics)
 */
export function parseCatBoost(text: string, where: string): CatBoostModel {
  const fail: Fail = (what, remedy = REMEDY) => {
    throw new InputError(where, what, remedy);
  };
  const read = readDocument(text, fail);
  const floats = inOrder(read.features_info.float_features ?? [], fail).map((feature) => ({
    flatIndex: feature.flat_feature_index,
    name: feature.feature_name ?? feature.feature_id,
    borders: (feature.borders ?? []).map(Math.fround),
    missing: feature.nan_value_treatment,
  }));
  const statistics = (read.features_info.ctrs ?? []).map((ctr) => statisticOf(ctr, fail));
  const categories = inOrder(read.features_info.categorical_features ?? [], fail).map(
    (feature, category) => ({
      flatIndex: feature.flat_feature_index,
      name: feature.feature_name ?? feature.feature_id,
      oneHot: feature.values ?? [],
      counts: countsOf(read, category, fail),
    }),
  );
  statistics.forEach(({ category }, at) => {
    if (!categories[category]?.counts) fail(`lacks the table of target statistic ${at}`);
  });
  const parts = { floats, categories, statistics };
  const tests = allTests(parts);
  const bias = read.scale_and_bias[1];
  const biases = typeof bias === 'number' ? [bias] : bias;
  const trees = read.oblivious_trees.map((item, at) => treeOf(item, at, tests, fail));
  const outputs = outputsOf(trees, biases, fail);
  return {
    ...parts,
    trees,
    scale: read.scale_and_bias[0],
    bias: biases.length === outputs ? biases : new Array<number>(outputs).fill(biases[0] ?? 0),
    lossFunction: read.model_info?.params?.loss_function.type ?? 'RMSE',
  };
}

type Fail = (what: string, remedy?: string) => never;

function readDocument(text: string, fail: Fail): Document {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON (${messageOf(error)})`);
  }
  if (typeof value === 'object' && value !== null && 'trees' in value && !('oblivious_trees' in value)) {
    fail('has trees that are not symmetric', 'train it with grow_policy=SymmetricTree');
  }
  const parsed = document.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return fail(
    `is no CatBoost model (${issue?.path.join('.') ?? 'document'}: ${issue?.message ?? 'damaged'})`,
  );
}

/** Features must be numbered 0, 1, 2 …, as splits and statistics count them. */
function inOrder<Feature extends { readonly feature_index: number }>(
  features: readonly Feature[],
  fail: Fail,
): Feature[] {
  const sorted = [...features].sort((a, b) => a.feature_index - b.feature_index);
  const wrong = sorted.findIndex(({ feature_index }, at) => feature_index !== at);
  if (wrong >= 0) fail(`has no feature_index ${wrong} among features of one kind`);
  return sorted;
}

function statisticOf(ctr: z.output<typeof statistic>, fail: Fail): CatBoostModel['statistics'][number] {
  const [element] = ctr.elements;
  if (ctr.ctr_type !== 'Borders') {
    fail(`uses target statistics of type ${ctr.ctr_type}`, 'train it with simple_ctr=Borders');
  }
  if (ctr.elements.length !== 1 || element?.combination_element !== 'cat_feature_value') {
    fail('uses combinations of features in target statistics', 'train it with max_ctr_complexity=1');
  }
  return {
    category: element?.cat_feature_index ?? fail('has a target statistic of no feature'),
    targetBorder: ctr.target_border_idx,
    priorNumerator: ctr.prior_numerator,
    priorDenominator: ctr.prior_denomerator,
    shift: ctr.shift,
    scale: ctr.scale,
    borders: (ctr.borders ?? []).map(Math.fround),
  };
}

/** The table of a categorical feature, found by what its key says. */
function countsOf(
  read: Document,
  category: number,
  fail: Fail,
): ReadonlyMap<string, readonly number[]> | null {
  const ctr = read.features_info.ctrs?.find(({ elements }) => elements[0]?.cat_feature_index === category);
  if (!ctr) return null;
  const table = read.ctr_data?.[ctr.identifier];
  if (!table) return null;
  const { hash_map: cells, hash_stride: stride } = table;
  if (cells.length % stride !== 0) fail(`has a table of ${cells.length} cells in rows of ${stride}`);
  const counts = new Map<string, readonly number[]>();
  for (let at = 0; at < cells.length; at += stride) {
    counts.set(String(cells[at]), cells.slice(at + 1, at + stride).map(Number));
  }
  return counts;
}

function treeOf(
  item: z.output<typeof tree>,
  at: number,
  tests: readonly ModelTest[],
  fail: Fail,
): ObliviousTree {
  const splits = (item.splits ?? []).map((split, level) => {
    const test = tests[split.split_index];
    const name = `split ${level} of tree ${at}`;
    if (!test) return fail(`${name} names test ${split.split_index}, but there are ${tests.length}`);
    if (test.type !== split.split_type)
      fail(`${name} is a ${split.split_type} where features say ${test.type}`);
    // The border stands in two places; where they disagree the file is damaged.
    if (
      split.border !== undefined &&
      test.type !== 'OneHotFeature' &&
      Math.fround(split.border) !== test.border
    ) {
      fail(`${name} has the border ${split.border}, its feature ${test.border}`);
    }
    return { column: test.column, border: test.border };
  });
  if (splits.length > DEEPEST) fail(`tree ${at} is ${splits.length} levels deep`);
  const leaves = 2 ** splits.length;
  if (item.leaf_values.length === 0 || item.leaf_values.length % leaves !== 0) {
    fail(`tree ${at} has ${item.leaf_values.length} values for ${leaves} leaves`);
  }
  const weights = item.leaf_weights ?? new Array<number>(leaves).fill(0);
  if (weights.length !== leaves) fail(`tree ${at} has ${weights.length} weights for ${leaves} leaves`);
  return { splits, leafValues: Float64Array.from(item.leaf_values), leafWeights: Float64Array.from(weights) };
}

function outputsOf(trees: readonly ObliviousTree[], biases: readonly number[], fail: Fail): number {
  const counts = new Set(trees.map(({ splits, leafValues }) => leafValues.length / 2 ** splits.length));
  if (counts.size > 1) fail('has trees of different numbers of outputs');
  const [outputs = biases.length] = counts;
  if (outputs < 1) fail('has no output');
  if (biases.length !== outputs && biases.length > 1)
    fail(`has ${biases.length} biases for ${outputs} outputs`);
  return outputs;
}
