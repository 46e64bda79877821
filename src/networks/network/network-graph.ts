import { massesFromComponents } from '../../estimators/masses/masses-graph.ts';
import { reconcileGraph } from '../../estimators/masses/reconcile-graph.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { randomStream } from '../../ground/random.ts';
import {
  cast,
  concat,
  constant,
  divide,
  matmul,
  maximum,
  mean,
  reshape,
  Scope,
  slice,
  squareRoot,
  subtract,
  sumOfSquares,
  type Tensor,
} from '../../tensor/index.ts';
import { type HeadSettings, heads } from './heads.ts';
import { forStorage, type NetworkModel } from './model-files.ts';
import type { NetworkSettings } from './settings.ts';
import { columnsOf, featuresOfRows } from './shape.ts';

/**
 * What a trained network predicts of rows of features, the mean over its members, as a graph; weights have the
 * precision they are stored in.
 *
 * @param features `[batch, features]`
 * @returns `[batch, 5]` float64, physical masses in grams
 */
export function networkGraph(
  model: NetworkModel,
  settings: HeadSettings & Pick<NetworkSettings, 'storage'>,
  features: Tensor,
): Tensor {
  const rows = cast(withConcepts(model, features), 'float32');
  const members = model.members.map((weights, member) => {
    const scope = Scope.root({ random: randomStream(0) })
      .in(`member-${member}`)
      .withValues(forStorage(weights, settings.storage));
    const { masses } = heads(scope, featuresOfRows(rows, model.shape), settings);
    return physicalGraph(masses, settings.architecture);
  });
  return mean(
    concat(
      members.map((masses) => reshape(masses, [1, ...masses.shape])),
      0,
    ),
    { axes: [0] },
  );
}

/** `physicalMasses` as a graph. */
function physicalGraph(masses: Tensor, architecture: HeadSettings['architecture']): Tensor {
  const free = cast(masses, 'float64');
  const column = (at: number): Tensor => slice(free, { 1: [at, at + 1] });
  if (architecture.kind !== 'tiled-dual') return massesFromComponents(slice(free, { 1: [0, 3] }));
  if (architecture.physics === 'project') {
    const parts = [column(0), maximum(column(1), 0), maximum(column(2), 0), column(3), column(4)];
    return reconcileGraph(concat(parts, 1));
  }
  const green = maximum(column(0), 0);
  const greenMatter = maximum(green, column(3));
  const total = maximum(greenMatter, column(4));
  return massesFromComponents(concat([green, subtract(total, greenMatter), subtract(greenMatter, green)], 1));
}

/** `withConceptScores` as a graph; rows as they are where the network has no concepts. */
function withConcepts({ concepts, columns, shape }: NetworkModel, features: Tensor): Tensor {
  if (!concepts) return features;
  const batch = features.shape[0] as number;
  const kept = columnsOf(shape) - shape.extra;
  const embeddings = reshape(slice(features, { 1: [kept, columns] }), [batch, -1, concepts.columns]);
  const cosines = matmul(unitRows(embeddings), unitRows(matrixConstant(concepts)), { transposeB: true });
  return concat([slice(features, { 1: [0, kept] }), mean(cosines, { axes: [1] })], 1);
}

/** Keeps rows of zeros from being divided by zero. */
const TINY = 1e-300;

/** Rows scaled to length 1; a row of zeros stays. */
function unitRows(x: Tensor): Tensor {
  const squares = sumOfSquares(x, { axes: [-1], keepAxes: true });
  return divide(x, squareRoot(maximum(squares, TINY)));
}

const matrixConstant = ({ rows, columns, data }: Matrix): Tensor =>
  constant(data, [rows, columns], 'float64');
