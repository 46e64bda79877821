import { hasAveraged, openStateDict, type StateDictFile } from '../formats/state-dict/index.ts';
import { readTensorAsFloat32, requireReadable } from '../formats/torch-checkpoint/index.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { randomStream } from '../ground/random.ts';
import { columnsOf, type NetworkShape } from '../networks/heads/features.ts';
import { heads } from '../networks/heads/heads.ts';
import type { Weights } from '../networks/inputs/input.ts';
import { openPhotoBackbone, type PhotoBackbone, photoShape } from '../networks/inputs/photos.ts';
import { requireSuited } from '../networks/photo-network.ts';
import { writeNetwork, writeTrainedBackbone } from '../networks/prediction/model-files.ts';
import type { NetworkSettings } from '../networks/settings/network.ts';
import { input, Scope, type TensorData } from '../tensor/index.ts';
import { backboneParameters, tensorProblems } from '../vision/backbones/index.ts';
import { featurePlan } from '../vision/features/index.ts';
import { backbonePrefix, holdsBackbone, resolveWeights, statedPrefix } from '../vision/weights/index.ts';
import type { Recipe } from './recipe-schema.ts';
import { recipeEstimator } from './registry.ts';

/** What networks that were trained elsewhere are to become. */
export interface ImportTarget {
  readonly settings: NetworkSettings;
  readonly net: PhotoBackbone;
  readonly shape: NetworkShape;
}

/** A checkpoint of a network that was trained elsewhere. */
export interface NetworkCheckpoint extends StateDictFile {
  /** What stands before the names of the backbone that is meant, where a description beside the file says so. */
  readonly chosen?: string;
}

/**
 * Opens a checkpoint, a file of safetensors or of `torch.save`.
 *
 * @throws InputError when it cannot be read
 */
export async function openNetworkCheckpoint(path: string): Promise<NetworkCheckpoint> {
  const chosen = await statedPrefix(path);
  return { ...(await openStateDict(path)), ...(chosen !== undefined && { chosen }) };
}

/**
 * What a recipe's networks are: `fineTune.mode` `full` where checkpoints hold a backbone each, `none` where they hold
 * heads alone.
 *
 * @throws UsageError when the recipe is no network over photos
 * @throws as finding and opening the backbone's weights does
 */
export async function importTarget(recipe: Recipe): Promise<ImportTarget> {
  const { name, estimator } = recipe;
  const sets = recipe.input.kind === 'several' ? recipe.input.sets : [recipe.input];
  if (estimator.kind !== 'network' || estimator.concepts !== null) {
    throw new UsageError(`recipe ${name}: checkpoints are imported into networks without concepts only`);
  }
  const nets: PhotoBackbone[] = [];
  for (const set of sets) {
    if (set.kind !== 'backbone') {
      throw new UsageError(
        `recipe ${name}: imported networks look at photos with backbones, not ${set.kind}`,
      );
    }
    const { kind: _, backbone, ...plan } = set;
    nets.push(await openPhotoBackbone(await resolveWeights(backbone), featurePlan(plan)));
  }
  const [net, ...others] = nets as [PhotoBackbone, ...PhotoBackbone[]];
  const extra = others.reduce((sum, other) => sum + columnsOf(photoShape(other)), 0);
  if (estimator.fineTune.mode !== 'none') {
    recipeEstimator(recipe);
    requireSuited(net, estimator);
  }
  return { settings: estimator, net, shape: { ...photoShape(net), extra } };
}

/** Whether a checkpoint holds a backbone besides heads. */
export function hasOwnBackbone(checkpoint: NetworkCheckpoint): boolean {
  return holdsBackbone(checkpoint.tensors.keys());
}

/**
 * Makes sure that a checkpoint holds exactly what the network needs.
 *
 * @throws InputError naming the file, and missing, unexpected and misshapen tensors
 */
export function requireNetwork(target: ImportTarget, checkpoint: NetworkCheckpoint): void {
  requireReadable(checkpoint, checkpoint.unreadable.keys());
  const wanted = wantedHeads(target);
  const { ofHeads, ofBackbone } = partsOf(target, checkpoint, wanted);
  const problems = tensorProblems(wanted, ofHeads).map((problem) => `of heads ${problem}`);
  if (target.settings.fineTune.mode !== 'none') {
    const parameters = backboneParameters(target.net.backbone).map(
      ({ name, shape }) => [name, shape] as const,
    );
    const further = tensorProblems(new Map(parameters), ofBackbone);
    problems.push(...further.map((problem) => `of the backbone ${problem}`));
  }
  if (problems.length === 0) return;
  const isScaled = problems.some((problem) => /missing.*\b(standardise\.|unit\.mean)/.test(problem));
  throw new InputError(
    checkpoint.path,
    `these are not the weights of this ${target.settings.architecture.kind} network: ${problems.join('; ')}`,
    isScaled
      ? 'where it was trained on features and masses as they are, set estimator.standardise=false and ' +
          'estimator.unit=gram'
      : 'choose the recipe, settings and backbone the checkpoint was trained with',
  );
}

/**
 * Writes the network of a checkpoint as a fold's model, as training would.
 *
 * @throws InputError as {@link requireNetwork}, and when a tensor holds anything but finite floats
 */
export async function writeImported(
  target: ImportTarget,
  checkpoint: NetworkCheckpoint,
  folder: string,
): Promise<void> {
  requireNetwork(target, checkpoint);
  const { settings, net, shape } = target;
  const wanted = wantedHeads(target);
  const { ofHeads, ofBackbone } = partsOf(target, checkpoint, wanted);
  await writeNetwork(
    folder,
    {
      architecture: settings.architecture.kind,
      shape,
      columns: columnsOf(shape),
      concepts: null,
      members: [await valuesOf(checkpoint, wanted.keys(), ofHeads)],
    },
    settings.storage,
  );
  if (settings.fineTune.mode === 'none') return;
  const names = backboneParameters(net.backbone).map(({ name }) => name);
  await writeTrainedBackbone(folder, await valuesOf(checkpoint, names, ofBackbone), settings);
}

/** Shapes of the heads' tensors by name. */
function wantedHeads({ settings, shape }: ImportTarget): ReadonlyMap<string, readonly number[]> {
  const { halves, parts, dim, extra } = shape;
  const scope = Scope.root({ random: randomStream(0) });
  const features = {
    parts: input('parts', [1, halves, parts, dim]),
    ...(extra > 0 && { extra: input('extra', [1, extra]) }),
  };
  heads(scope.forInference(), features, settings);
  return new Map(scope.parameters.map(({ name, shape: own }) => [name, own]));
}

type Tensors = StateDictFile['tensors'];

/** A tensor, and the name it is read by. */
interface Part {
  readonly key: string;
  readonly shape: readonly number[];
}

interface Parts {
  /** Tensors by their name in heads or backbone. */
  readonly ofHeads: ReadonlyMap<string, Part>;
  readonly ofBackbone: ReadonlyMap<string, Part>;
}

/**
 * Tensors of the backbone by their names in it, all others by theirs, without a prefix that the heads have. Where they
 * have one, what lies beside both (losses, scores that training kept) is left out.
 */
function partsOf(
  { settings }: ImportTarget,
  { path, tensors: all, chosen }: NetworkCheckpoint,
  wanted: ReadonlyMap<string, readonly number[]>,
): Parts {
  const isOwn = settings.fineTune.mode !== 'none';
  const copy = preferredCopy(all, wanted);
  const headPrefix = headPrefixOf(path, copy, wanted.keys());
  const inside = below(copy, headPrefix);
  const tensors = !isOwn || holdsBackbone(inside.keys()) ? inside : copy;
  const own = isOwn ? backbonePrefix(path, tensors, chosen) : null;
  const ofHeads = new Map<string, Part>();
  const ofBackbone = new Map<string, Part>();
  for (const [key, { shape }] of tensors) {
    const isInside = key.startsWith(headPrefix);
    const bare = isInside ? key.slice(headPrefix.length) : key;
    if (own !== null && key.startsWith(own) && !wanted.has(bare))
      ofBackbone.set(key.slice(own.length), { key, shape });
    else if (isInside) ofHeads.set(bare, { key, shape });
  }
  return { ofHeads, ofBackbone };
}

const below = (tensors: Tensors, prefix: string): Tensors =>
  new Map([...tensors].filter(([name]) => name.startsWith(prefix)));

/** The tensors of the averaged copy where the network has one, without copies of its parts otherwise. */
function preferredCopy(tensors: Tensors, wanted: ReadonlyMap<string, unknown>): Tensors {
  const averaged = new Map([...tensors].filter(([name]) => hasAveraged(name)));
  if (averaged.size === 0) return tensors;
  if (headPrefixes(averaged, wanted.keys()).length > 0) return averaged;
  const others = new Map([...tensors].filter(([name]) => !hasAveraged(name)));
  return holdsBackbone(others.keys()) || !holdsBackbone(averaged.keys()) ? others : tensors;
}

/** What stands before the heads' names; nothing where there are none. @throws InputError when there are several networks */
function headPrefixOf(path: string, tensors: Tensors, wanted: Iterable<string>): string {
  const [prefix = '', ...others] = headPrefixes(tensors, wanted);
  if (others.length === 0) return prefix;
  const listed = [prefix, ...others].map((one) => JSON.stringify(one)).join(', ');
  throw new InputError(
    path,
    `holds several networks (${listed})`,
    'save a state dict of the one that is meant',
  );
}

/** What stands before the first of the wanted names that there is, wherever it is stored. */
function headPrefixes(tensors: Tensors, wanted: Iterable<string>): readonly string[] {
  for (const name of wanted) {
    const found = [...tensors].filter(([other]) => other === name || other.endsWith(`.${name}`));
    const places = new Map(found.map(([other, { byteOffset }]) => [byteOffset, other]));
    if (places.size > 0) return [...places.values()].map((other) => other.slice(0, -name.length));
  }
  return [];
}

async function valuesOf(
  checkpoint: NetworkCheckpoint,
  names: Iterable<string>,
  found: ReadonlyMap<string, Part>,
): Promise<Weights> {
  const weights: Record<string, TensorData> = {};
  for (const name of names) {
    const part = found.get(name);
    if (part === undefined) continue;
    const values = await readTensorAsFloat32(checkpoint, part.key);
    if (!values.every(Number.isFinite)) {
      throw new InputError(
        `${checkpoint.path} tensor "${checkpoint.tensors.get(part.key)?.name}"`,
        'holds numbers that are not finite',
        'its training went wrong: take an earlier checkpoint',
      );
    }
    weights[name] = { dtype: 'float32', shape: part.shape, values };
  }
  return weights;
}
