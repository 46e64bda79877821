import { UsageError } from '../../ground/errors.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import { isParameter } from '../../tensor/graph/operator.ts';
import {
  type CompileOptions,
  type GroupRule,
  input,
  layerwiseDecay,
  openSafetensors,
  PRECISIONS_ON,
  ratesByPrefix,
  reshape,
  type SafetensorsFile,
  Scope,
  type Sessions,
  type Tensor,
} from '../../tensor/index.ts';
import {
  type Backbone,
  checkWeights,
  type ForwardOptions,
  layerOf,
  makeBackbone,
} from '../../vision/backbones/index.ts';
import {
  combinedViews,
  type FeaturePlan,
  featureLayout,
  type ViewRecipe,
  viewCut,
  viewFeatures,
  viewRecipe,
  viewSize,
} from '../../vision/features/index.ts';
import { viewCount } from '../../vision/preprocess/views.ts';
import type { ResolvedWeights } from '../../vision/weights/index.ts';
import { covariateInput } from '../heads/covariates.ts';
import { type Features, type NetworkShape, widthOf } from '../heads/features.ts';
import type { FineTuneSettings } from '../settings/fine-tune.ts';
import {
  type BatchSize,
  FEWEST_ROWS,
  type InputGraph,
  type NetworkInput,
  type TrainedPart,
  type Weights,
} from './input.ts';
import type { FeatureGraph, Trunk } from './trunk.ts';

/** What the names of a backbone's parameters start with beside those of its heads. */
export const BACKBONE = 'backbone.';

/** The inputs that carry views, and further features of their photos. */
export const IMAGES = 'images';
export const EXTRA = 'extra';

/** Views whose pixels fill a program's memory well, and the photos at most that they may be of. */
const PIXELS_AT_ONCE = 16 * 224 ** 2;
const PHOTOS_AT_ONCE = 16;

/** A backbone with its weights, and how photos become what it takes. */
export interface PhotoBackbone {
  readonly backbone: Backbone;
  /** The published weights, used where they lie. */
  readonly file: SafetensorsFile;
  readonly plan: FeaturePlan;
  /** Of views that are not turned. */
  readonly recipe: ViewRecipe;
  /** Views of a photo. */
  readonly views: number;
}

/**
 * Opens the backbone of a plan; no weights are read.
 *
 * @throws InputError when the file does not hold the backbone's weights
 * @throws UsageError when the size does not suit the backbone
 */
export async function openPhotoBackbone(weights: ResolvedWeights, plan: FeaturePlan): Promise<PhotoBackbone> {
  const backbone = makeBackbone(weights.arch, weights.config);
  const file = await openSafetensors(weights.path);
  checkWeights(backbone, file);
  const recipe = viewRecipe(weights.preprocessing, plan, viewSize(backbone, weights, plan), 0);
  return { backbone, file, plan, recipe, views: viewCount(viewCut(plan)) };
}

/**
 * How a photo's features are arranged, without any further ones.
 *
 * @throws UsageError when the plan does not suit the backbone
 */
export function photoShape(net: PhotoBackbone): NetworkShape {
  const { parts } = backboneFeatures(net, Scope.root({ random: randomStream(0) }), viewInput(net, 1));
  const [, halves = 0, count = 0, dim = 0] = parts.shape;
  return { halves, parts: count, dim, extra: 0 };
}

/** Where the parameters of a backbone come from. */
export interface BackboneScopeOptions {
  readonly random: RandomStream;
  /** What is trained, or has adapters. */
  readonly part: TrainedPart;
  /** What was trained before, in place of the published weights. */
  readonly trained?: SafetensorsFile;
  /** Whether what `part` trains is a variable (default), or fixed as it is. */
  readonly variable?: boolean;
}

interface PhotoGraphOptions extends BackboneScopeOptions {
  /** Where programs leave their sessions to others of the same model. */
  readonly sessions?: Sessions | undefined;
}

/** The scope of a backbone with its adapters; names start with {@link BACKBONE}. */
export function backboneScope(
  { file }: Pick<PhotoBackbone, 'file'>,
  { mode, lora }: FineTuneSettings,
  { random, part, trained, variable = true }: BackboneScopeOptions,
): Scope {
  const trains = (name: string): boolean => part.trains(name.slice(BACKBONE.length));
  const scope = Scope.root({ random, trainable: (name) => variable && trains(name) })
    .in(BACKBONE.slice(0, -1))
    .from(file);
  const known = trained ? scope.withTrained(trained) : scope;
  if (mode !== 'lora') return known;
  const { rank, alpha, dropout, targets } = lora;
  const isTarget = (layer: string): boolean =>
    targets.length === 0 || targets.some((ending) => layer.endsWith(`.${ending}`));
  return known.withLora({
    rank,
    alpha,
    dropout,
    targets: (layer) => isTarget(layer) && trains(`${layer}.lora_a`),
  });
}

/** The input of views. @returns `[batch · views, 3, size, size]` */
export function viewInput({ recipe, views }: PhotoBackbone, batch: number): Tensor {
  return input(IMAGES, [batch * views, 3, recipe.size, recipe.size]);
}

/**
 * Features of photos.
 *
 * @param images `[batch · views, 3, size, size]`
 * @throws UsageError when the plan does not suit the backbone
 */
export function backboneFeatures(
  { backbone, plan, views }: PhotoBackbone,
  scope: Scope,
  images: Tensor,
  options: ForwardOptions = {},
): Features {
  const pooled = viewFeatures(backbone, scope, images, plan, options);
  const batch = (images.shape[0] as number) / views;
  const { halves, parts } = featureLayout(plan);
  const combined = combinedViews(viewCut(plan), plan.combine, pooled, batch);
  return { parts: reshape(combined, [batch, halves, parts, widthOf(pooled)]) };
}

/** What is fed of photos beside their views. */
export type FedBeside = Pick<NetworkShape, 'extra' | 'covariates'>;

const NOTHING: FedBeside = { extra: 0 };

/** Photos through a backbone in the network's own graph. */
export function photoInput(
  net: PhotoBackbone,
  fineTune: FineTuneSettings,
  beside: FedBeside = NOTHING,
  { trunk, sessions }: { readonly trunk?: Trunk; readonly sessions?: Sessions | undefined } = {},
): NetworkInput {
  return {
    atOnce: photosAtOnce(net),
    batchFor: (count) => photoBatch(net, count),
    graph: (part, random) => photoGraph(net, fineTune, beside, { part, random, sessions }, trunk),
  };
}

/** Photos that go through a backbone at once where nothing is trained. */
export function photosAtOnce({ recipe, views }: PhotoBackbone): number {
  const fitting = Math.floor(PIXELS_AT_ONCE / (views * recipe.size ** 2));
  return Math.max(1, Math.min(PHOTOS_AT_ONCE, fitting));
}

/** As many photos a batch as leave the fewest places empty in as few batches as there must be. */
function photoBatch(net: PhotoBackbone, count: number): BatchSize {
  const most = photosAtOnce(net);
  const examples = Math.max(1, Math.ceil(count / Math.max(1, Math.ceil(count / most))));
  return { examples, rows: Math.max(examples, Math.min(FEWEST_ROWS, most)) };
}

/**
 * The graph of photos with a backbone whose parameters come from where `options` say.
 *
 * @param trunk takes the place of what is not trained, where that is the same for a photo every time
 */
export function photoGraph(
  net: PhotoBackbone,
  fineTune: FineTuneSettings,
  beside: FedBeside,
  options: PhotoGraphOptions,
  trunk?: Trunk,
): InputGraph {
  const scope = backboneScope(net, fineTune, options);
  const { dropPath, checkpoint } = fineTune;
  const { trains } = options.part;
  const { sessions } = options;
  const how = { ...providerOptions(fineTune), ...(sessions && { sessions }) };
  const changes = (leaf: Tensor): boolean =>
    isParameter(leaf)
      ? leaf.variable || trains(leaf.name.slice(BACKBONE.length))
      : leaf.origin.kind === 'input';
  const graphOf = (batch: number, inside: Scope, forward?: ForwardOptions): FeatureGraph => {
    const images = viewInput(net, batch);
    return { images, parts: backboneFeatures(net, inside, images, forward).parts, changes };
  };
  trunk?.enter(hasTrunk(fineTune) ? graphOf(1, scope.forInference()) : null, how);
  return {
    scope,
    rates: backboneRates(net, fineTune, options.part),
    options: () => how,
    precision: fineTune.precision,
    features(batch, mode) {
      const graph =
        mode === 'inference'
          ? graphOf(batch, scope.forInference())
          : graphOf(batch, scope.forTraining(), { dropPath, checkpoint: mode === 'training' && checkpoint });
      const stands = trunk?.stands(mode === 'training' ? 'training' : 'plain');
      const { extra } = beside;
      return {
        parts: trunk && stands ? trunk.after(graph, batch) : graph.parts,
        ...(extra > 0 && { extra: input(EXTRA, [batch, extra]) }),
        ...covariateInput(beside, batch),
      };
    },
  };
}

/**
 * Whether a backbone can have a beginning that gives the same for a picture every time: adapters lie in all blocks,
 * stochastic depth reaches down to the second, and where products are halved a trunk in single precision would differ.
 * Beside trained blocks in int8 the trunk stays in single precision: what is made once need not be made fast.
 */
const hasTrunk = ({ mode, dropPath, precision }: FineTuneSettings): boolean =>
  mode !== 'lora' && dropPath === 0 && (precision === 'float32' || precision === 'int8');

/** How much slower than its heads a backbone is trained, layer by layer. */
function backboneRates(
  { backbone }: PhotoBackbone,
  { layerDecay }: FineTuneSettings,
  { rate }: TrainedPart,
): GroupRule[] {
  const layer = layerOf(backbone);
  return [
    ratesByPrefix({ [BACKBONE]: rate }),
    layerwiseDecay(layerDecay, backbone.depth + 1, (name) =>
      name.startsWith(BACKBONE) ? layer(name.slice(BACKBONE.length)) : undefined,
    ),
  ];
}

/** How the settings want programs run. @throws UsageError when the provider cannot compute as asked */
export function providerOptions({ provider, precision }: FineTuneSettings): CompileOptions {
  if (PRECISIONS_ON[provider].includes(precision)) return { provider };
  const able = Object.entries(PRECISIONS_ON).filter(([, precisions]) => precisions.includes(precision));
  throw new UsageError(
    `estimator.fineTune.precision ${precision}: provider ${provider} has no kernels for it; ` +
      `use ${PRECISIONS_ON[provider].join(' or ')}, or estimator.fineTune.provider ${able.map(([name]) => name).join(' or ')}`,
  );
}

/** What of a network's weights is the backbone's, under the checkpoint's names. */
export function ofBackbone(weights: Weights): Weights {
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(BACKBONE))
      .map(([name, data]) => [name.slice(BACKBONE.length), data]),
  );
}
