import { UsageError } from '../../ground/errors.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import {
  cast,
  input,
  openSafetensors,
  parametersOf,
  type SafetensorsFile,
  Scope,
  type Tensor,
} from '../../tensor/index.ts';
import {
  type Backbone,
  checkWeights,
  type ForwardOptions,
  makeBackbone,
} from '../../vision/backbones/index.ts';
import {
  type FeaturePlan,
  type ViewRecipe,
  viewCut,
  viewRecipe,
  viewSize,
} from '../../vision/features/index.ts';
import { viewCount } from '../../vision/preprocess/views.ts';
import type { ResolvedWeights } from '../../vision/weights/index.ts';
import type { Features } from '../network/features.ts';
import type { NetworkShape } from '../network/shape.ts';
import { featuresOfViews } from './features-graph.ts';
import type { FineTuneSettings } from './settings.ts';
import { type TrainedPart, trainedParts } from './unfreezing.ts';

/** What the names of a backbone's parameters start with beside those of its heads. */
export const BACKBONE = 'backbone.';

/** The input that carries views. */
export const IMAGES = 'images';

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

/** How a photo's features are arranged. @throws UsageError when the plan does not suit the backbone */
export function photoShape(net: PhotoBackbone): NetworkShape {
  const { recipe, views } = net;
  const scope = Scope.root({ random: randomStream(0) });
  const images = input('images', [views, 3, recipe.size, recipe.size]);
  const [, halves, parts, dim] = backboneFeatures(net, scope, images).parts.shape;
  return { halves: halves as number, parts: parts as number, dim: dim as number, extra: 0 };
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

/** The scope of a backbone with its adapters; names start with {@link BACKBONE}. */
export function backboneScope(
  { file }: Pick<PhotoBackbone, 'file'>,
  { mode, lora, computeType }: FineTuneSettings,
  { random, part, trained, variable = true }: BackboneScopeOptions,
): Scope {
  const trains = (name: string): boolean => part.trains(name.slice(BACKBONE.length));
  const scope = Scope.root({ random, trainable: (name) => variable && trains(name), computeType })
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

/**
 * Features of photos, in single precision whatever the backbone computes in.
 *
 * @param images `[batch · views, 3, size, size]`
 */
export function backboneFeatures(
  { backbone, plan }: PhotoBackbone,
  scope: Scope,
  images: Tensor,
  options: ForwardOptions = {},
): Features {
  const output = backbone.forward(scope, cast(images, scope.computeType), options);
  const { parts } = featuresOfViews(backbone, output, plan);
  return { parts: cast(parts, 'float32') };
}

/**
 * Makes sure that a backbone can be trained as the settings say.
 *
 * @throws UsageError when it has not those blocks or layers, or they have no part in its features
 */
export function requireTrainable(net: PhotoBackbone, settings: FineTuneSettings): void {
  const part = trainedParts(net.backbone, settings).at(-1);
  const { mode, lora } = settings;
  if (mode === 'none' || part === undefined) return;
  const { arch } = net.backbone;
  const scope = backboneScope(net, settings, { random: randomStream(0), part });
  const { recipe, views } = net;
  const images = input(IMAGES, [views, 3, recipe.size, recipe.size]);
  const { parts } = backboneFeatures(net, scope, images);
  if (parametersOf([parts]).some(({ trainable }) => trainable)) return;
  throw new UsageError(
    mode === 'lora'
      ? `estimator.fineTune.lora.targets ${lora.targets.join(', ')}: ${arch} has no such linear layers before its features`
      : `estimator.fineTune.mode ${mode}: no trained part of ${arch} lies before its features (input.blocks)`,
  );
}
