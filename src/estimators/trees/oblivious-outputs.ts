import { InputError } from '../../ground/errors.ts';
import type { CatBoostModel, ObliviousTree } from './catboost-model.ts';

/** A model whose outputs are those of another in the order given. @param order which output comes where */
export function takenOutputs(model: CatBoostModel, order: readonly number[]): CatBoostModel {
  const outputs = model.bias.length;
  return {
    ...model,
    bias: order.map((output) => model.bias[output] as number),
    trees: model.trees.map(({ leafValues, ...tree }) => ({
      ...tree,
      leafValues: Float64Array.from(
        { length: (leafValues.length / outputs) * order.length },
        (_, at) =>
          leafValues[
            Math.floor(at / order.length) * outputs + (order[at % order.length] as number)
          ] as number,
      ),
    })),
  };
}

/**
 * One model that predicts what several of one output each do, to the last bit: every tree has the value 0 for the others.
 *
 * @throws InputError when they cannot stand in one model
 */
export function joinedOutputs(
  models: readonly { readonly path: string; readonly model: CatBoostModel }[],
): CatBoostModel {
  const [first] = models;
  if (first === undefined) throw new RangeError('there is nothing to join');
  for (const { path, model } of models) {
    const refuse = (what: string): never => {
      throw new InputError(path, what, 'train one model of all masses (loss MultiRMSE)');
    };
    if (model.bias.length !== 1) refuse(`predicts ${model.bias.length} outputs, but its name says one mass`);
    if (model.categories.length > 0) refuse('reads categories, which models of several files cannot share');
    if (model.scale !== first.model.scale) refuse(`has another scale than ${first.path}`);
    if (model.lossFunction !== first.model.lossFunction) refuse(`has another loss than ${first.path}`);
  }
  const width = Math.max(...models.map(({ model }) => widthOf(model)));
  const padded = models.map(({ path, model }) => ({ path, model: inColumns(model, width) }));
  const floats = Array.from({ length: width }, (_, column) => {
    const used = padded.filter(({ model }) => (model.floats[column]?.borders.length ?? 0) > 0);
    const treatments = new Set(used.map(({ model }) => model.floats[column]?.missing));
    if (treatments.size > 1) {
      throw new InputError(
        used[1]?.path ?? first.path,
        `treats missing values of column ${column + 1} otherwise than ${used[0]?.path}`,
        'train one model of all masses (loss MultiRMSE)',
      );
    }
    const borders = new Set(padded.flatMap(({ model }) => model.floats[column]?.borders ?? []));
    const { name = '', missing = 'AsIs' as const } = (used[0] ?? padded[0])?.model.floats[column] ?? {};
    return { flatIndex: column, name, missing, borders: [...borders].sort((a, b) => a - b) };
  });
  return {
    ...first.model,
    floats,
    bias: padded.map(({ model }) => model.bias[0] as number),
    trees: padded.flatMap(({ model }, output) =>
      model.trees.map(
        (tree): ObliviousTree => ({ ...tree, leafValues: spread(tree, output, models.length) }),
      ),
    ),
  };
}

function spread({ leafValues }: ObliviousTree, output: number, outputs: number): Float64Array {
  const values = new Float64Array(leafValues.length * outputs);
  leafValues.forEach((value, leaf) => {
    values[leaf * outputs + output] = value;
  });
  return values;
}

const widthOf = ({ floats, categories }: CatBoostModel): number =>
  Math.max(-1, ...[...floats, ...categories].map(({ flatIndex }) => flatIndex)) + 1;

/** The same model with a numeric feature for each column that it does not look at. */
export function inColumns(model: CatBoostModel, columns: number): CatBoostModel {
  const taken = new Set([...model.floats, ...model.categories].map(({ flatIndex }) => flatIndex));
  const lacking = Array.from({ length: columns }, (_, column) => column).filter(
    (column) => !taken.has(column),
  );
  if (lacking.length === 0) return model;
  const floats = [
    ...model.floats,
    ...lacking.map((flatIndex) => ({
      flatIndex,
      name: String(flatIndex),
      borders: [],
      missing: 'AsIs' as const,
    })),
  ].sort((a, b) => a.flatIndex - b.flatIndex);
  // Trees number columns as features come: floats in their order, then all others.
  const moved = model.floats.map(({ flatIndex }) => floats.findIndex((one) => one.flatIndex === flatIndex));
  const place = (column: number): number => moved[column] ?? column + lacking.length;
  return {
    ...model,
    floats,
    trees: model.trees.map((tree) => ({
      ...tree,
      splits: tree.splits.map(({ column, border }) => ({ column: place(column), border })),
    })),
  };
}
