import { describe, expect, it } from 'vitest';
import { treeAdder } from '../../../src/estimators/trees/forest.ts';
import { lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { parseLightGbm } from '../../../src/estimators/trees/lightgbm-read.ts';
import { formatLightGbm } from '../../../src/estimators/trees/lightgbm-write.ts';
import { bentTargets, boosted, column, LEAFWISE_DEFAULTS, normalMatrix, rowsOf } from './small-data.ts';

/** A file as LightGBM 4 writes it: three features, a numeric and a categorical tree. */
const FILE = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=regression
feature_names=ndvi height state
feature_infos=[0.10000000000000001:0.90000000000000002] [1:70] 0:1:2:40
tree_sizes=431 330

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=120.5 11.25
threshold=0.65000000000000013 7.5000000000000009
decision_type=10 8
left_child=1 -1
right_child=-2 -3
leaf_value=12.300000000000001 45.678901234567893 -3.25
leaf_weight=40 30 30
leaf_count=40 30 30
internal_value=20 7
internal_weight=100 70
internal_count=100 70
is_linear=0
shrinkage=1


Tree=1
num_leaves=2
num_cat=1
split_feature=2
split_gain=5
threshold=0
decision_type=9
left_child=-1
right_child=-2
leaf_value=0.10000000000000001 -0.20000000000000001
leaf_weight=60 40
leaf_count=60 40
internal_value=0
internal_weight=100
internal_count=100
cat_boundaries=0 2
cat_threshold=4 256
is_linear=0
shrinkage=0.1


end of trees

feature_importances:
ndvi=1
height=1
state=1

parameters:
[boosting: gbdt]
[objective: regression]
end of parameters

pandas_categorical:null
`;

const NaN_ = Number.NaN;

function predictFile(text: string, rows: readonly (readonly number[])[]): number[] {
  return [...lightGbmPredictor(parseLightGbm(text, 'model.txt'))(rowsOf(rows)).data];
}

function stump(decisionType: number, threshold = '0.5', objective = 'regression'): string {
  return `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective=${objective}
feature_names=x
feature_infos=[0:1]
tree_sizes=1

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=${threshold}
decision_type=${decisionType}
left_child=-1
right_child=-2
leaf_value=1 2
is_linear=0
shrinkage=1

end of trees
`;
}

describe("LightGBM's text format", () => {
  it('predicts as documented: ≤ goes left, default sides, categories by bit', () => {
    expect(
      predictFile(FILE, [
        [0.65000000000000013, 7, 2],
        [0.65000000000000024, 7, 2],
        [0.1, 7.500000000000001, 40],
        [0.1, 8, 3],
        // ndvi missing: left by default; height missing: right.
        [NaN_, NaN_, NaN_],
        [0.1, 7, -1],
        [0.1, 7, 4000],
      ]),
    ).toEqual([
      12.3 + 0.1,
      45.678901234567896 + 0.1,
      12.3 + 0.1,
      -3.25 - 0.2,
      -3.25 - 0.2,
      12.3 - 0.2,
      12.3 - 0.2,
    ]);
  });

  it('treats NaN as 0 unless NaN is missing, and 0 as missing where the file says so', () => {
    expect(predictFile(stump(2), [[NaN_]])).toEqual([1]);
    expect(predictFile(stump(2, '-0.5'), [[NaN_]])).toEqual([2]);
    expect(predictFile(stump(2 | 4, '-0.5'), [[0], [1e-36], [NaN_], [0.1], [-1]])).toEqual([1, 1, 1, 2, 1]);
    expect(predictFile(stump(4), [[0], [0.4]])).toEqual([2, 1]);
    expect(predictFile(stump(8), [[NaN_], [0]])).toEqual([2, 1]);
    expect(predictFile(stump(10, '-0.5'), [[NaN_], [0]])).toEqual([1, 2]);
  });

  it('applies the objective: exp for Tweedie, signed squares for regression sqrt', () => {
    expect(predictFile(stump(2, '0.5', 'tweedie tweedie_variance_power:1.5'), [[1]])).toEqual([Math.exp(2)]);
    expect(predictFile(stump(2, '0.5', 'regression sqrt'), [[1]])).toEqual([4]);
    expect(() => predictFile(stump(2, '0.5', 'binary sigmoid:1'), [[1]])).toThrow(/has the objective binary/);
  });

  it('is read and written without losing a digit', () => {
    const model = parseLightGbm(FILE, 'model.txt');
    const again = parseLightGbm(formatLightGbm(model), 'again.txt');
    expect(again).toEqual(model);
    expect(model.featureNames).toEqual(['ndvi', 'height', 'state']);
    expect(model.parameters).toEqual(['[boosting: gbdt]', '[objective: regression]']);
    expect(formatLightGbm(again)).toBe(formatLightGbm(model));
  });

  it('states the size in bytes of every tree block, blank lines included', () => {
    const text = formatLightGbm(parseLightGbm(FILE, 'model.txt'));
    const sizes = (/^tree_sizes=(.*)$/m.exec(text)?.[1] ?? '').split(' ').map(Number);
    const start = text.indexOf('Tree=0');
    expect(text.slice(start + (sizes[0] ?? 0)).startsWith('Tree=1\n')).toBe(true);
    expect(text.slice(start + (sizes[0] ?? 0) + (sizes[1] ?? 0)).startsWith('end of trees\n')).toBe(true);
    expect(text.slice(0, start + (sizes[0] ?? 0)).endsWith('\n\n\n')).toBe(true);
  });

  it('carries our models: missing values, categories and all', () => {
    const inputs = normalMatrix(200, 4, 1);
    for (let row = 0; row < 200; row++) {
      inputs.data[row * 4 + 3] = row % 9;
      if (row % 5 === 0) inputs.data[row * 4 + 1] = NaN_;
    }
    const targets = bentTargets(normalMatrix(200, 4, 1), 2).map(
      (value, row) => value + (row % 9 === 4 ? 30 : 0),
    );
    const parameters = { ...LEAFWISE_DEFAULTS, numIterations: 25, minDataInLeaf: 5, catSmooth: 1 };
    for (const objective of ['regression', 'tweedie'] as const) {
      const data = { inputs, targets: column(targets), categorical: [3] };
      const trained = boosted(data, { ...parameters, objective });
      const read = lightGbmPredictor(parseLightGbm(formatLightGbm(trained.model), 'ours'));
      expect(read(inputs).data).toEqual(trained.predict(inputs));
      const scores = new Float64Array(200);
      treeAdder(trained.trees)(inputs, scores);
      const link = objective === 'tweedie' ? Math.exp : (score: number): number => score;
      expect(trained.predict(inputs)).toEqual(scores.map(link));
    }
  });

  it('averages the trees of a random forest', () => {
    const text = FILE.replace('feature_names=', 'average_output\nfeature_names=');
    const [sum = 0] = predictFile(FILE, [[0.1, 1, 2]]);
    expect(predictFile(text, [[0.1, 1, 2]])).toEqual([sum / 2]);
  });

  it.each([
    ['no model at all', '{}', /model.txt: is no LightGBM text model/],
    ['another version', FILE.replace('version=v4', 'version=v2'), /has version "v2", not v3 or v4/],
    ['a cut file', FILE.slice(0, 900), /is cut off/],
    [
      'a lost tree',
      FILE.replace(/Tree=1[\s\S]*?end of trees/, 'end of trees'),
      /announces 2 trees but holds 1/,
    ],
    [
      'too few values',
      FILE.replace('leaf_value=12.300000000000001 ', 'leaf_value='),
      /tree 0: has 2 values of leaf_value, not 3/,
    ],
    [
      'a word for a number',
      FILE.replace('threshold=0.65', 'threshold=high'),
      /value 1 of threshold is not a number/,
    ],
    [
      'a feature that is not there',
      FILE.replace('split_feature=0 1', 'split_feature=0 3'),
      /value 2 of split_feature is 3/,
    ],
    ['a circle', FILE.replace('left_child=1 -1', 'left_child=1 0'), /node 1 has node 0 for a child/],
    ['a leaf with two parents', FILE.replace('left_child=1 -1', 'left_child=1 -2'), /leaf 1 has two parents/],
    ['a lost category set', FILE.replace('num_cat=1', 'num_cat=0'), /names the category set 0 of 0/],
    [
      'linear leaves',
      FILE.replace('is_linear=0', 'is_linear=1'),
      /has linear leaves; train it with linear_tree=false/,
    ],
    [
      'missing names',
      FILE.replace('feature_names=ndvi height state', 'feature_names=ndvi'),
      /names 1 features but has 3/,
    ],
  ])('refuses %s in one line', (_, text, message) => {
    expect(() => parseLightGbm(text, 'model.txt')).toThrow(message);
    try {
      parseLightGbm(text, 'model.txt');
    } catch (error) {
      expect(String(error)).not.toContain('\n');
    }
  });

  it('refuses inputs that are too narrow', () => {
    expect(() => predictFile(FILE, [[1, 2]])).toThrow(/reads 3 columns, the inputs have 2/);
  });
});
