import { UsageError } from '../ground/errors.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import { type Attribute, int, subgraph } from '../tensor/graph/operator.ts';
import {
  bytesPerElement,
  cast,
  concat,
  constant,
  divide,
  expand,
  input,
  mean,
  multiply,
  reshape,
  sizeOf,
  subtract,
  sum,
  type Tensor,
} from '../tensor/index.ts';
import { emitModel, parametersOf } from '../tensor/onnx/emit.ts';
import { graphProto, type ModelParts, valueInfo } from '../tensor/onnx/model.ts';
import { quantizedReplacements } from '../tensor/quantize/plan.ts';
import {
  combinedViews,
  type FeatureGraph,
  type FeaturePlan,
  type Precision,
  type ViewRecipe,
} from '../vision/features/index.ts';
import { viewCount } from '../vision/preprocess/views.ts';
import { GraphWriter } from './graph-writer.ts';
import type { ModelInput } from './model-input.ts';
import { turnNodes, viewNodes } from './photo-nodes.ts';
import { prefixed } from './prefixed-parts.ts';
import { SharedWeights } from './shared-weights.ts';
import type { WeightPlacement } from './weight-placement.ts';

/** One backbone of a model, and how photos come to it. */
export interface Branch {
  /** Its turn does not count; see {@link MassModel.turns}. */
  readonly views: ViewRecipe;
  /** How the views of a photo become its features. */
  readonly combine: FeaturePlan['combine'];
  readonly backbone: FeatureGraph;
  /** Of the backbone's linear layers. */
  readonly precision: Precision;
}

/** Everything one exported model computes. */
export interface MassModel {
  readonly input: ModelInput;
  /** Turns of each view that masses are averaged over, 0 to 7 (see `ViewRecipe`). */
  readonly turns: readonly number[];
  readonly branches: readonly [Branch, ...Branch[]];
  readonly estimators: readonly MassEstimator[];
  /** What was measured beside photos and is fed too, by name; none: photos are all that is fed. */
  readonly covariates: CovariateSet;
  /** Post-processing of the sum, `[1, 5]` to `[1, 5]` grams. */
  readonly finish?: (masses: Tensor) => Tensor;
}

/** One trained model's part in the answer. */
export interface MassEstimator {
  /** Which of its member's fold models it is, from 0. */
  readonly fold: number;
  /** The branches whose features it reads, by their place, one after another. */
  readonly reads: readonly number[];
  /**
   * `[batch, features]` float64 to `[batch, 5]` grams.
   *
   * @param readings `[batch, covariates]` float64 of the model's covariates, NaN where one was not measured
   */
  readonly masses: (features: Tensor, readings?: Tensor) => Tensor;
  /** What its masses are multiplied with in the sum of all, as `TARGET_NAMES`. */
  readonly shares: readonly number[];
}

/** Name of what was measured beside photos, where the model reads any. */
export const COVARIATES_NAME = 'covariates';

/** Name of the result. */
export const OUTPUT_NAME = 'masses';

const TARGETS = TARGET_NAMES.length;

/** What views of a branch are told apart by. */
const viewKey = ({ views: { plan, size, interpolation } }: Branch): string =>
  `${JSON.stringify(plan)} ${size} ${interpolation}`;

/**
 * The parts of an ONNX model from photos to masses. The number of photos stays open: every backbone runs in a `Scan`
 * over views, as many at a time as in training, so that neither photos nor turns take more memory; a last one makes
 * the masses of every photo.
 *
 * Input `photos`: uint8 `[photos, height, width, 3]`, or `views`: float32 `[photos, views, 3, size, size]` from 0 to
 * 255; `covariates`: float32 `[photos, covariates]`, NaN where one was not measured, of a model that reads any. Output `masses`: float32 `[photos, 5]`, grams, as `TARGET_NAMES`.
 *
 * @param place where weights go, by the bytes of all that are not quantised
 * @throws UsageError when views are to be fed but branches take different ones
 */
export async function massModelParts(
  model: MassModel,
  place: (weightBytes: number) => WeightPlacement,
): Promise<ModelParts> {
  requireSharedViews(model);
  const { branches, turns } = model;
  const networks = branches.map(({ backbone, views }) => {
    const pixels = input('pixels', [backbone.batch, 3, backbone.size, backbone.size]);
    return backbone.features(normalised(pixels, views));
  });
  const combined = branches.map((branch, index) => {
    const width = (networks[index] as Tensor).shape[1] as number;
    const vectors = input(`vectors-${index}`, [turns.length, viewCount(branch.views.plan), width]);
    return combinedFeatures(branch, cast(vectors, 'float64'));
  });
  const readings = turnedReadings(model);
  const answers = model.estimators.map((estimator) => estimatorPart(estimator, combined, readings));
  const exact = networks.filter((_, index) => branches[index]?.precision === 'fp32');
  const placement = place(weightBytes([...exact, ...answers]));
  const graph = new GraphWriter();
  const weights = new SharedWeights();
  const viewsOf = turnedViews(graph, model);
  const vectors: string[] = [];
  for (const [index, branch] of branches.entries()) {
    const features = networks[index] as Tensor;
    const { batch, size } = branch.backbone;
    const batches = graph.apply('Reshape', viewsOf(branch), graph.integers([-1, batch, 3, size, size]));
    const parts = await backboneParts(features, branch.precision, placement);
    const body = branches.length > 1 ? weights.take(parts) : parts;
    const rows = scan(graph, [batches], { name: `backbone-${index}`, body, output: `features-${index}` });
    const shape = [-1, turns.length, viewCount(branch.views.plan), features.shape[1] as number];
    vectors.push(graph.apply('Reshape', rows, graph.integers(shape)));
  }
  const body = answerParts(model, combined, answers, placement, readings);
  const fed = readings ? [graph.cast(COVARIATES_NAME, 'float64')] : [];
  scan(graph, [...vectors, ...fed], { name: 'estimators', body, output: OUTPUT_NAME });
  return {
    nodes: graph.nodes,
    initializers: [...graph.initializers, ...weights.initializers],
    inputs: [
      valueInfo(model.input, modelInput(model)),
      ...(readings
        ? [
            valueInfo(COVARIATES_NAME, {
              dtype: 'float32' as const,
              shape: ['photos', model.covariates.length],
            }),
          ]
        : []),
    ],
    outputs: [valueInfo(OUTPUT_NAME, { dtype: 'float32', shape: ['photos', TARGETS] })],
    declared: [],
  };
}

/** Makes the views of branches, in every turn; branches that take the same share them. */
function turnedViews(graph: GraphWriter, { input: kind, turns }: MassModel): (branch: Branch) => string {
  const made = new Map<string, string>();
  return (branch) => {
    const key = viewKey(branch);
    const turned =
      made.get(key) ??
      turnNodes(graph, kind === 'photos' ? viewNodes(graph, 'photos', branch.views) : 'views', turns);
    made.set(key, turned);
    return turned;
  };
}

/** Element type and shape of what a model is fed; open lengths have names. */
export function modelInput({ input: kind, branches }: Pick<MassModel, 'input' | 'branches'>): {
  readonly dtype: 'uint8' | 'float32';
  readonly shape: readonly (number | string)[];
} {
  if (kind === 'photos') return { dtype: 'uint8', shape: ['photos', 'height', 'width', 3] };
  const { plan, size } = branches[0].views;
  return { dtype: 'float32', shape: ['photos', viewCount(plan), 3, size, size] };
}

function requireSharedViews({ input: kind, branches }: MassModel): void {
  if (kind === 'photos' || branches.every((branch) => viewKey(branch) === viewKey(branches[0]))) return;
  throw new UsageError('backbones of the run take different views; export it with --input photos');
}

/** (value / 255 − mean) / std in double precision, as `prepareViews` has it. */
function normalised(pixels: Tensor, { mean: centre, std }: ViewRecipe): Tensor {
  const channels = (values: readonly number[]): Tensor => constant([...values], [1, 3, 1, 1], 'float64');
  const unit = divide(cast(pixels, 'float64'), 255);
  return cast(divide(subtract(unit, channels(centre)), channels(std)), 'float32');
}

/** Bytes of all weights; those that several networks take from one place of a file count once. */
function weightBytes(networks: readonly Tensor[]): number {
  const sizes = new Map<string, number>();
  networks.forEach((network, index) => {
    for (const { name, dtype, shape, origin } of parametersOf([network])) {
      const { initial } = origin;
      const key = initial.from === 'file' ? `${initial.path} ${initial.offset}` : `${index} ${name}`;
      sizes.set(key, bytesPerElement(dtype) * sizeOf(shape));
    }
  });
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}

/** A backbone by itself, from views to `features`. */
export async function backboneParts(
  features: Tensor,
  precision: Precision,
  { initializer }: WeightPlacement,
): Promise<ModelParts> {
  const replacements =
    precision === 'fp32'
      ? undefined
      : await quantizedReplacements([features], { weights: precision }, 'embedded');
  return emitModel({
    outputs: { features },
    isFed: () => false,
    initializer,
    ...(replacements && { replacements }),
  }).parts;
}

/** The readings of a photo, the same for every turn of it, `[turns, covariates]`; null: the model reads none. */
function turnedReadings({ covariates, turns }: MassModel): Tensor | null {
  const { length } = covariates;
  if (length === 0) return null;
  const own = reshape(input(`${COVARIATES_NAME}-read`, [length], 'float64'), [1, length]);
  return expand(own, [turns.length, length]);
}

/** Name under which the readings stand in the last body. */
const READINGS = 'readings';

/** Name under which the features of a branch stand in the last body. */
const combinedName = (branch: number): string => `combined-${branch}`;

/** What one estimator adds to the answer, `[1, 5]`, from features that are inputs. */
function estimatorPart(
  { reads, masses, shares }: MassEstimator,
  combined: readonly Tensor[],
  readings: Tensor | null,
): Tensor {
  const features = reads.map((branch) =>
    input(combinedName(branch), (combined[branch] as Tensor).shape, 'float64'),
  );
  const all = features.length === 1 ? (features[0] as Tensor) : concat(features, 1);
  const ofTurns = readings ? masses(all, input(READINGS, readings.shape, 'float64')) : masses(all);
  const average = mean(cast(ofTurns, 'float64'), { axes: [0], keepAxes: true });
  return multiply(average, constant([...shares], [1, TARGETS], 'float64'));
}

/** From the vectors of one photo's views, `[turns, views, width]` a branch, to its masses, `[5]`. */
function answerParts(
  { estimators, finish = (masses) => masses }: MassModel,
  combined: readonly Tensor[],
  answers: readonly Tensor[],
  { initializer }: WeightPlacement,
  readings: Tensor | null,
): ModelParts {
  const emitted = (outputs: Readonly<Record<string, Tensor>>): ModelParts =>
    emitModel({ outputs, isFed: () => false, initializer }).parts;
  const shared = [
    ...combined.map((features, branch) => [combinedName(branch), features] as const),
    ...(readings ? [[READINGS, readings] as const] : []),
  ];
  const names = shared.map(([name]) => name);
  const first = emitted(Object.fromEntries(shared));
  // Each estimator by itself, because those of folds call their weights alike.
  const models = answers.map((part, index) => prefixed(emitted({ part }), `model-${index}/`, names));
  const parts = estimators.map((_, index) => input(`model-${index}/part`, [1, TARGETS], 'float64'));
  const sums = sum(concat(parts, 0), { axes: [0], keepAxes: true });
  const answer = cast(reshape(finish(sums), [TARGETS]), 'float32');
  const last = prefixed(
    emitted({ answer }),
    'answer/',
    parts.map(({ label }) => label),
  );
  const all = [first, ...models, last];
  return {
    nodes: all.flatMap(({ nodes }) => nodes),
    initializers: all.flatMap(({ initializers }) => initializers),
    inputs: first.inputs,
    outputs: last.outputs,
    declared: all.flatMap(({ declared }) => declared),
  };
}

/** `combineViews` for every turn: `[turns, views, width]` to `[turns, features]`. */
function combinedFeatures({ views, combine }: Branch, vectors: Tensor): Tensor {
  const [turns = 0] = vectors.shape;
  return reshape(combinedViews(views.plan, combine, vectors, turns), [turns, -1]);
}

/** Runs a body for every element of values' first axes and stacks what it says. */
function scan(
  graph: GraphWriter,
  over: readonly string[],
  { name, body, output }: { readonly name: string; readonly body: ModelParts; readonly output: string },
): string {
  const attributes: Record<string, Attribute> = {
    body: subgraph(graphProto(name, body)),
    num_scan_inputs: int(over.length),
  };
  return graph.node('Scan', over, attributes, output);
}
