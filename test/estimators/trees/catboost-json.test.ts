import { describe, expect, it } from 'vitest';
import { predictCatBoost } from '../../../src/estimators/trees/catboost-model.ts';
import { parseCatBoost } from '../../../src/estimators/trees/catboost-read.ts';
import { formatCatBoost } from '../../../src/estimators/trees/catboost-write.ts';
import { categoryHash, codeHash, tableKey } from '../../../src/estimators/trees/categories.ts';
import { trainOblivious } from '../../../src/estimators/trees/oblivious.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { bentTargets, normalMatrix, OBLIVIOUS_DEFAULTS, rowsOf } from './small-data.ts';

const NaN_ = Number.NaN;
const code = (value: number): number => codeHash(value, 0);
const KEY =
  '{"identifier":[{"cat_feature_index":0,"combination_element":"cat_feature_value"}],"type":"Borders"}';

/** A file as CatBoost writes it: two numbers, and a category asked for by name and by its targets. */
function file() {
  return {
    model_info: { params: { loss_function: { type: 'RMSE' } }, model_guid: 'x' },
    features_info: {
      float_features: [
        {
          feature_index: 0,
          flat_feature_index: 0,
          feature_id: 'ndvi',
          has_nans: true,
          nan_value_treatment: 'AsFalse',
          borders: [-3.4028234663852886e38, 0.10000000149011612],
        },
        {
          feature_index: 1,
          flat_feature_index: 2,
          feature_id: 'height',
          has_nans: true,
          nan_value_treatment: 'AsTrue',
          borders: [7.5],
        },
      ],
      categorical_features: [
        { feature_index: 0, flat_feature_index: 1, feature_id: 'state', values: [code(3)] },
      ],
      ctrs: [
        {
          identifier: KEY,
          elements: [{ cat_feature_index: 0, combination_element: 'cat_feature_value' }],
          ctr_type: 'Borders',
          target_border_idx: 0,
          prior_numerator: 0.5,
          prior_denomerator: 1,
          shift: 0,
          scale: 15,
          borders: [6.9999990463256836],
        },
      ],
    },
    ctr_data: {
      [KEY]: {
        counter_denominator: 0,
        hash_stride: 3,
        hash_map: [tableKey(code(2)), 1, 9, tableKey(code(5)), 30, 2] as (string | number)[],
      },
    },
    oblivious_trees: [
      {
        leaf_values: [1, 2, 3, 4],
        leaf_weights: [10, 20, 30, 40],
        splits: [
          { border: 0.10000000149011612, float_feature_index: 0, split_index: 1, split_type: 'FloatFeature' },
          { border: 7.5, float_feature_index: 1, split_index: 2, split_type: 'FloatFeature' },
        ] as object[] | null,
      },
      {
        leaf_values: [0, 100, 1000, 1100],
        leaf_weights: [1, 1, 1, 1],
        splits: [
          { cat_feature_index: 0, split_index: 3, split_type: 'OneHotFeature', value: code(3) },
          { border: 6.9999990463256836, ctr_target_border_idx: 0, split_index: 4, split_type: 'OnlineCtr' },
        ],
      },
      { leaf_values: [0.25], leaf_weights: [100], splits: null },
    ],
    scale_and_bias: [2, [10]] as [number, number | number[]],
  };
}

type File = ReturnType<typeof file>;

function changed(change: (document: File) => void): string {
  const document = file();
  change(document);
  return JSON.stringify(document);
}

function predictFile(text: string, rows: readonly (readonly number[])[]): number[] {
  return [...predictCatBoost(parseCatBoost(text, 'model.json'), rowsOf(rows)).data];
}

describe("CatBoost's category hash", () => {
  it('is that of published model exports, short texts and long', () => {
    expect(categoryHash('0')).toBe(-1438285038);
    expect(categoryHash('Male')).toBe(-1291328762);
    expect(categoryHash('Female')).toBe(-2114564283);
    expect(categoryHash('Self-emp-inc')).toBe(-1732053524);
    expect(categoryHash('?')).toBe(-1576664757);
    expect(categoryHash('11th')).toBe(-1209300766);
  });
});

describe("CatBoost's JSON format", () => {
  it('predicts as documented: > in single precision, bit i for split i, scale then bias', () => {
    const float = Math.fround(0.1);
    const none = [NaN_, 5, 1];
    expect(
      predictFile(JSON.stringify(file()), [
        [0.1, 5, 7.5],
        [float * (1 + 2 ** -23), 5, 7.5],
        [0.05, 5, 7.6],
        [0.2, 5, 8],
        // ndvi fails when missing, height passes.
        none,
        [0, 5, NaN_],
      ]),
    ).toEqual([1, 2, 3, 4, 1, 3].map((leaf) => 2 * (leaf + 0.25) + 10));
  });

  it('looks categories up by hash, for one-hot tests and target statistics', () => {
    // (9 + 0.5)/(10 + 1) · 15 = 12.95 passes; (2 + 0.5)/(32 + 1) · 15 = 1.1 and (0 + 0.5)/1 · 15 = 7.5: above 7.
    expect(
      predictFile(JSON.stringify(file()), [
        [0, 2, 0],
        [0, 5, 0],
        [0, 3, 0],
        [0, NaN_, 0],
      ]),
    ).toEqual([1000, 0, 1100, 1000].map((leaf) => 2 * (1 + leaf + 0.25) + 10));
  });

  it('is read and written without losing a digit', () => {
    const model = parseCatBoost(JSON.stringify(file()), 'model.json');
    const text = formatCatBoost(model);
    expect(parseCatBoost(text, 'again.json')).toEqual(model);
    const written = JSON.parse(text) as File;
    expect(written.oblivious_trees.map((tree) => tree.splits ?? [])).toEqual(
      file().oblivious_trees.map((tree) => tree.splits ?? []),
    );
    expect(written.ctr_data).toEqual(file().ctr_data);
    expect(written.scale_and_bias).toEqual([2, [10]]);
  });

  it('accepts a bias without brackets, as older versions wrote it', () => {
    const text = changed((document) => {
      document.scale_and_bias = [2, 10];
    });
    expect(predictFile(text, [[0, 77, 0]])).toEqual(predictFile(JSON.stringify(file()), [[0, 77, 0]]));
  });

  it('carries our models: missing values, categories, several outputs, logarithms', () => {
    const inputs = normalMatrix(200, 4, 1);
    for (let row = 0; row < 200; row++) {
      inputs.data[row * 4 + 2] = row % 9;
      if (row % 5 === 0) inputs.data[row * 4 + 1] = NaN_;
    }
    const one = bentTargets(normalMatrix(200, 4, 1), 2).map((value, row) => value + (row % 9 === 4 ? 30 : 0));
    const targets = {
      rows: 200,
      columns: 2,
      // Tweedie takes no negative targets, whatever the noise.
      data: Float64Array.from([...one].flatMap((value) => [Math.max(0, value), Math.max(0, 50 - value / 2)])),
    };
    for (const objective of ['regression', 'tweedie'] as const) {
      const parameters = {
        ...OBLIVIOUS_DEFAULTS,
        iterations: 20,
        depth: 4,
        objective,
        ctrTargetBorderCount: 3,
      };
      const data = { inputs, targets, weights: null, categorical: [2] };
      const { model } = trainOblivious(data, parameters, randomStream(1));
      const read = parseCatBoost(formatCatBoost(model), 'ours');
      expect(read).toEqual(model);
      expect(predictCatBoost(read, inputs)).toEqual(predictCatBoost(model, inputs));
    }
  });

  it.each([
    ['no JSON', '{', /model.json: is not JSON/],
    ['trees of another kind', '{"trees":[]}', /not symmetric; train it with grow_policy=SymmetricTree/],
    ['a document of something else', '{"a":1}', /is no CatBoost model \(features_info/],
    [
      'a lost leaf',
      changed((d) => d.oblivious_trees[0]?.leaf_values.pop()),
      /tree 0 has 3 values for 4 leaves/,
    ],
    [
      'a lost weight',
      changed((d) => d.oblivious_trees[0]?.leaf_weights.pop()),
      /tree 0 has 3 weights for 4 leaves/,
    ],
    [
      'an unknown test',
      changed((d) => Object.assign(d.oblivious_trees[0]?.splits?.[0] ?? {}, { split_index: 99 })),
      /names test 99, but there are 5/,
    ],
    [
      'a border that moved',
      changed((d) => Object.assign(d.oblivious_trees[0]?.splits?.[0] ?? {}, { border: 0.5 })),
      /has the border 0.5, its feature/,
    ],
    [
      'other statistics',
      changed((d) => Object.assign(d.features_info.ctrs[0] ?? {}, { ctr_type: 'Counter' })),
      /statistics of type Counter; train it with simple_ctr=Borders/,
    ],
    [
      'combined categories',
      changed((d) =>
        d.features_info.ctrs[0]?.elements.push({
          cat_feature_index: 0,
          combination_element: 'cat_feature_value',
        }),
      ),
      /combinations of features/,
    ],
    [
      'a lost table',
      changed((d) => Object.assign(d, { ctr_data: {} })),
      /lacks the table of target statistic 0/,
    ],
    ['a torn table', changed((d) => d.ctr_data[KEY]?.hash_map.pop()), /5 cells in rows of 3/],
    [
      'a wrong count of biases',
      changed((d) => Object.assign(d, { scale_and_bias: [1, [1, 2]] })),
      /has 2 biases for 1 outputs/,
    ],
    [
      'a skipped feature',
      changed((d) => Object.assign(d.features_info.float_features[1] ?? {}, { feature_index: 2 })),
      /no feature_index 1/,
    ],
  ])('refuses %s in one line', (_, text, message) => {
    expect(() => parseCatBoost(text, 'model.json')).toThrow(message);
  });

  it('refuses inputs that are too narrow, and amounts for categories', () => {
    expect(() => predictFile(JSON.stringify(file()), [[1, 2]])).toThrow(/reads 3 columns, the inputs have 2/);
    expect(() => predictFile(JSON.stringify(file()), [[1, 2.5, 3]])).toThrow(
      /column 2: is categorical but holds 2.5/,
    );
  });
});
