import { basename, dirname, join } from 'node:path';
import { type CatBoostModel, predictCatBoost } from '../estimators/trees/catboost-model.ts';
import { parseCatBoost } from '../estimators/trees/catboost-read.ts';
import { formatCatBoost } from '../estimators/trees/catboost-write.ts';
import { columnNames } from '../estimators/trees/explain.ts';
import {
  type LightGbmModel,
  lightGbmPredictor,
  requireRegression,
} from '../estimators/trees/lightgbm-model.ts';
import { parseLightGbm } from '../estimators/trees/lightgbm-read.ts';
import { inColumns, joinedOutputs, takenOutputs } from '../estimators/trees/oblivious-outputs.ts';
import { countOf } from '../ground/counts.ts';
import { InputError, messageOf, UsageError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import type { Matrix } from '../ground/matrix.ts';
import { readText, reasonOf } from '../ground/whole-file.ts';
import { isTargetName, type TargetName } from '../pasture/targets.ts';
import { DESCRIPTOR_NAMES } from '../vision/descriptors/index.ts';

/** The masses that trees are imported for, by their names in the files of a fold; sums are derived. */
const COMPONENTS = [
  ['Dry_Green_g', 'green'],
  ['Dry_Dead_g', 'dead'],
  ['Dry_Clover_g', 'clover'],
] as const satisfies readonly (readonly [TargetName, string])[];

/** Losses of CatBoost whose predictions are masses. */
const CATBOOST_REGRESSION: ReadonlySet<string> = new Set([
  ...['RMSE', 'MultiRMSE', 'MultiRMSEWithMissingValues', 'MAE', 'MAPE', 'Quantile', 'Expectile', 'Huber'],
  ...['Lq', 'LogCosh', 'Poisson', 'Tweedie'],
]);

/** A file of trees, with what its name says of it. */
export interface TreeFile {
  readonly path: string;
  readonly fold: number;
  /** The mass it predicts; null where it predicts several. */
  readonly target: TargetName | null;
  readonly library: 'LightGBM' | 'CatBoost';
}

/** A model of trees that was read. */
interface ReadTrees extends TreeFile {
  readonly text: string;
  readonly model: LightGbmModel | CatBoostModel;
}

/** The trees of one fold. */
export interface FoldTrees {
  readonly files: readonly string[];
  /**
   * Makes sure that the features are those the models were trained on, as far as their files tell.
   *
   * @throws InputError naming the file
   */
  check(features: Matrix): void;
  /** Writes them as training would, into an existing folder. */
  write(folder: string, columns: number): Promise<void>;
}

/**
 * What a file's name, or that of its folder, says: `fold0_Dry_Green_g.txt`, `fold-0/Dry_Green_g.txt`, `fold0.json`.
 *
 * @throws UsageError when it says no fold, or is neither LightGBM's text nor CatBoost's JSON
 */
export function treeFile(path: string): TreeFile {
  const library = /\.txt$/i.test(path) ? 'LightGBM' : /\.json$/i.test(path) ? 'CatBoost' : null;
  if (library === null) {
    throw new UsageError(`${path}: give LightGBM's text models (.txt) or CatBoost's JSON models (.json)`);
  }
  const name = basename(path);
  const fold = /fold[-_ ]?(\d+)/i.exec(name) ?? /fold[-_ ]?(\d+)/i.exec(basename(dirname(path)));
  if (fold === null) throw new UsageError(`${path}: name its fold, as fold0_Dry_Green_g.txt does`);
  const target = /(?:Dry_(?:Green|Dead|Clover|Total)|GDM)_g/i.exec(name)?.[0].toLowerCase();
  const known = ['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g'].find(
    (other) => other.toLowerCase() === target,
  );
  return { path, fold: Number(fold[1]), target: known && isTargetName(known) ? known : null, library };
}

/**
 * Reads the models of one fold: one each of green, dead and clover, or one of CatBoost that predicts all three.
 *
 * @param outputs the masses that a model of several outputs predicts, in its order
 * @throws InputError for a file that cannot be read or is no regression
 * @throws UsageError when models are missing or stand for one mass twice
 */
export async function readFoldTrees(
  files: readonly TreeFile[],
  outputs: readonly TargetName[],
): Promise<FoldTrees> {
  const read: ReadTrees[] = [];
  for (const file of files) read.push(await readTrees(file));
  const [whole, ...others] = read.filter(({ target }) => target === null);
  if (whole === undefined) return apart(componentsOf(read));
  if (others.length > 0 || read.length > 1) {
    throw new UsageError(
      `${whole.path}: name the mass it predicts, as fold${whole.fold}_Dry_Green_g.txt does, or give it as the only ` +
        `model of fold ${whole.fold}`,
    );
  }
  return together(whole, outputs);
}

async function readTrees(file: TreeFile): Promise<ReadTrees> {
  const { path, library } = file;
  const text = await readText(path).catch((error: unknown) => {
    throw new InputError(path, reasonOf(error), 'give the path of a model');
  });
  if (library === 'CatBoost') {
    const model = parseCatBoost(text, path);
    if (CATBOOST_REGRESSION.has(model.lossFunction)) return { ...file, text, model };
    throw new InputError(path, `has the loss ${model.lossFunction}`, 'give a regression model');
  }
  const model = parseLightGbm(text, path);
  requireRegression(model, path);
  if (model.outputs !== 1) {
    throw new InputError(path, `predicts ${model.outputs} outputs`, 'give a model of each mass');
  }
  const texts = /^pandas_categorical:\s*(.+)$/m.exec(text)?.[1];
  if (texts !== undefined && /"/.test(texts)) {
    throw new InputError(
      path,
      `reads categories by their names (${texts.slice(0, 60)}), which features do not hold`,
      'train it on their codes',
    );
  }
  return { ...file, text, model };
}

/** The models of green, dead and clover. */
function componentsOf(read: readonly ReadTrees[]): readonly [ReadTrees, ReadTrees, ReadTrees] {
  const fold = read[0]?.fold ?? 0;
  const sum = read.find(({ target }) => COMPONENTS.every(([name]) => name !== target));
  if (sum !== undefined) {
    throw new UsageError(
      `${sum.path}: ${sum.target} is derived from green, dead and clover; leave this model out`,
    );
  }
  const [green, dead, clover] = COMPONENTS.map(([name]) => {
    const [model, again] = read.filter(({ target }) => target === name);
    if (model === undefined) throw new UsageError(`fold ${fold} has no model of ${name}; give one`);
    if (again !== undefined) {
      throw new UsageError(`${model.path} and ${again.path} are both of ${name} in fold ${fold}; give one`);
    }
    return model;
  });
  return [green as ReadTrees, dead as ReadTrees, clover as ReadTrees];
}

function apart(models: readonly [ReadTrees, ReadTrees, ReadTrees]): FoldTrees {
  const files = models.map(({ path }) => path);
  const check = (features: Matrix): void => {
    for (const model of models) requireColumns(model, features);
  };
  if (models.every(({ library }) => library === 'LightGBM')) {
    return {
      files,
      check,
      async write(folder) {
        for (const [index, { text }] of models.entries()) {
          await writeFileAtomically(join(folder, `${COMPONENTS[index]?.[1]}.txt`), text);
        }
      },
    };
  }
  const joined = joinedOutputs(models.map(({ path, model }) => ({ path, model: model as CatBoostModel })));
  return { files, check, write: (folder, columns) => writeCatBoost(folder, joined, columns) };
}

function together({ path, model, ...file }: ReadTrees, outputs: readonly TargetName[]): FoldTrees {
  if (!('floats' in model)) {
    throw new UsageError(`${path}: name the mass it predicts, as fold${file.fold}_Dry_Green_g.txt does`);
  }
  if (model.bias.length !== outputs.length) {
    throw new UsageError(
      `${path} predicts ${countOf(model.bias.length, 'output')}; name each, in the model's order: ` +
        '--outputs Dry_Green_g,Dry_Dead_g,Dry_Clover_g',
    );
  }
  const order = COMPONENTS.map(([name]) => outputs.indexOf(name));
  const lacking = COMPONENTS.find((_, index) => order[index] === -1);
  if (lacking !== undefined) throw new UsageError(`${path}: --outputs has no ${lacking[0]}; it is needed`);
  const taken = takenOutputs(model, order);
  return {
    files: [path],
    check: (features) => requireColumns({ path, model, ...file }, features),
    write: (folder, columns) => writeCatBoost(folder, taken, columns),
  };
}

const writeCatBoost = (folder: string, model: CatBoostModel, columns: number): Promise<void> =>
  writeFileAtomically(join(folder, 'model.json'), formatCatBoost(inColumns(model, columns)));

/** @throws InputError when a model reads other columns than the features have, or values that they have not */
function requireColumns({ path, model }: Pick<ReadTrees, 'path' | 'model'>, features: Matrix): void {
  const inputs = 'floats' in model ? [...model.floats, ...model.categories] : [];
  const width =
    'floats' in model
      ? Math.max(-1, ...inputs.map(({ flatIndex }) => flatIndex)) + 1
      : model.featureNames.length;
  if (width !== features.columns) {
    throw new InputError(
      path,
      `reads ${countOf(width, 'column')}, but the features have ${features.columns}`,
      'give the features it was trained on',
    );
  }
  const names = 'floats' in model ? namesInOrder(inputs, width) : model.featureNames;
  requireOrder(path, names, columnNames(features));
  try {
    if ('floats' in model) predictCatBoost(model, features);
    else lightGbmPredictor(model)(features);
  } catch (error) {
    throw new InputError(
      path,
      `cannot predict from these features (${messageOf(error)})`,
      'give those it was trained on',
    );
  }
}

function namesInOrder(
  inputs: readonly { readonly flatIndex: number; readonly name: string }[],
  width: number,
): string[] {
  const names = new Array<string>(width).fill('');
  for (const { flatIndex, name } of inputs) names[flatIndex] = name;
  return names;
}

/**
 * Names of feature files' columns are not known, those of descriptors are; numbered names (`Column_3`, `emb12`) say where
 * a column stood.
 *
 * @throws InputError when names say that the columns stood in another order, or were others
 */
function requireOrder(path: string, names: readonly string[], columns: readonly string[]): void {
  const spelt = (name: string): string => name.replace(/[\s_]+/g, '_').toLowerCase();
  const known = columns.filter((name) => DESCRIPTOR_NAMES.includes(name)).map(spelt);
  const isKnown = names.map((name) => known.includes(spelt(name)));
  const misplaced = names.findIndex((name, at) => isKnown[at] && spelt(columns[at] ?? '') !== spelt(name));
  const numbers = names.map((name) => /^(\D*)(\d+)$/.exec(name));
  const [first] = numbers;
  const isNumbered = numbers.every((parts) => parts !== null && parts[1] === first?.[1]);
  const swapped = isNumbered
    ? numbers.findIndex((parts, at) => Number(parts?.[2]) - Number(first?.[2]) !== at)
    : -1;
  const wrong = misplaced >= 0 ? misplaced : swapped;
  if (wrong < 0) return;
  throw new InputError(
    path,
    `was trained on ${JSON.stringify(names[wrong])} as column ${wrong + 1}, which is not what the features have there`,
    'give the features in the order it was trained on',
  );
}
