import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SwardError, UsageError } from '../ground/errors.ts';
import { type FeatureSet, joinFeatureSets, type Matrix, takeRows } from '../ground/matrix.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { input as graphInput } from '../tensor/index.ts';
import { computeDescriptors, DESCRIPTOR_NAMES } from '../vision/descriptors/index.ts';
import { extractFeatures, featureGraph, featurePlan, viewCut } from '../vision/features/index.ts';
import { combinedWidth } from '../vision/features/plan.ts';
import { viewCount } from '../vision/preprocess/views.ts';
import { type ResolvedWeights, resolveTrainedWeights } from '../vision/weights/index.ts';
import type { InputSettings } from './input-settings.ts';
import { remembered, type SampleSource } from './samples.ts';

/** Which weights made a feature set, by content. */
export interface UsedWeights {
  readonly source: string;
  readonly sha256: string;
  /** Where the file lies; null for weights that have a name. */
  readonly file: string | null;
}

/**
 * The weights that a name or path stands for. Those a run was trained with must have the same content; where the path
 * does not lead to them any more (it may be relative to another folder), they are looked for where they lay.
 *
 * @throws as `resolveTrainedWeights`
 */
export async function trainedWeights(
  nameOrPath: string,
  trained: UsedWeights | null | undefined,
): Promise<ResolvedWeights> {
  if (!trained?.file) return resolveTrainedWeights(nameOrPath, trained?.sha256);
  try {
    return await resolveTrainedWeights(nameOrPath, trained.sha256);
  } catch (error) {
    if (!(error instanceof SwardError) || !existsSync(trained.file)) throw error;
    return resolveTrainedWeights(trained.file, trained.sha256);
  }
}

/** What a run remembers of weights. */
export function usedWeights({ source, sha256 }: ResolvedWeights): UsedWeights {
  const path = /^file (.+)$/.exec(source)?.[1];
  return { source, sha256, file: path === undefined ? null : resolve(path) };
}

/** A feature set of a run, with the weights that made it; null where there are none. */
export interface UsedFeatureSet extends FeatureSet {
  readonly weights: UsedWeights | null;
}

/** What was read of photos. */
export interface PhotoFeatures {
  /** The feature sets of the input side by side; a row each usable photo, in the order given. */
  readonly matrix: Matrix;
  /** Which of the photos given could not be used and have no row; empty unless `onUnusable` was given. */
  readonly unusable: ReadonlySet<number>;
}

export interface ReadOptions {
  readonly progress?: Progress;
  /** How views are turned, 0 to 7; descriptors are the same whatever the turn. */
  readonly turn?: number;
  /** The first feature set that is wanted, from 0. */
  readonly firstSet?: number;
  /** Told of each photo that cannot be used, in order; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
}

/** What one photo-reading input of a recipe is. */
type PhotoInput = Exclude<InputSettings, { kind: 'features' | 'several' }>;

/** Shows an estimator what a recipe's input says of photos: descriptors, features of backbones, or several of these. */
export class PhotoReader {
  readonly #inputs: readonly PhotoInput[];
  /** The weights that each input must have; null: any. */
  readonly #trainedWith: readonly (UsedWeights | null)[];
  readonly #weights = new Map<number, Promise<ResolvedWeights>>();

  /**
   * @param trainedOn the sets a run was trained on, whose weights must be used
   * @throws UsageError when the recipe reads a feature file
   */
  constructor(input: InputSettings, trainedOn: readonly UsedFeatureSet[] = []) {
    if (input.kind === 'features') throw new UsageError('the recipe reads features, not photos');
    this.#inputs = input.kind === 'several' ? input.sets : [input];
    this.#trainedWith = this.#inputs.map((_, index) => trainedOn[index]?.weights ?? null);
  }

  /** Whether what it reads depends on how photos are turned. */
  get seesTurns(): boolean {
    return this.#inputs.some(({ kind }) => kind !== 'descriptors');
  }

  /**
   * The feature sets it reads, without reading any photo.
   *
   * @throws InputError for weights that cannot be used, or are not those a run was trained with
   */
  async sets(): Promise<UsedFeatureSet[]> {
    const sets: Omit<UsedFeatureSet, 'name'>[] = [];
    for (const [index, input] of this.#inputs.entries()) {
      if (input.kind === 'descriptors') {
        sets.push({ columns: DESCRIPTOR_NAMES.length, weights: null });
        continue;
      }
      const { kind: _, backbone: __, ...draft } = input;
      const weights = await this.#weightsOf(index, input);
      const plan = featurePlan(draft);
      const { batch, size, features } = await featureGraph(weights, plan, viewCount(viewCut(plan)));
      const width = features(graphInput('views', [batch, 3, size, size])).shape[1] as number;
      sets.push({ columns: combinedWidth(plan, width), weights: usedWeights(weights) });
    }
    const names = joinFeatureSets(
      sets.map(({ columns }, index) => ({
        name: nameOf(this.#inputs[index] as PhotoInput),
        matrix: { rows: 0, columns, data: new Float64Array() },
      })),
    ).sets;
    return sets.map((set, index) => ({ name: names?.[index]?.name ?? '', ...set }));
  }

  /**
   * Reads photos.
   *
   * @throws SwardError when no photo can be used
   * @throws InputError for a photo or weights that cannot be used, or weights other than those asked for
   */
  async read(paths: readonly string[], options: ReadOptions = {}): Promise<PhotoFeatures> {
    const failures = new Map<string, SwardError>();
    const parts: { readonly name: string; readonly matrix: Matrix }[] = [];
    for (const [index, input] of this.#inputs.entries()) {
      if (index < (options.firstSet ?? 0)) continue;
      parts.push({
        name: nameOf(input),
        matrix: await this.#readOne(index, input, paths, failures, options),
      });
    }
    return usableRows(paths, joinFeatureSets(parts), failures, options);
  }

  /** Photos whose features are read when they are asked for. */
  source(paths: readonly string[], { progress = SILENT }: Pick<ReadOptions, 'progress'> = {}): SampleSource {
    return remembered({
      photos: paths,
      features: async (turn, firstSet = 0) => (await this.read(paths, { turn, firstSet, progress })).matrix,
    });
  }

  async #readOne(
    index: number,
    input: PhotoInput,
    paths: readonly string[],
    failures: Map<string, SwardError>,
    { progress = SILENT, turn = 0, onUnusable }: ReadOptions,
  ): Promise<Matrix> {
    const failing = onUnusable && {
      onError: (path: string, error: SwardError) => failures.set(path, error),
    };
    if (input.kind === 'descriptors') {
      const { rows, columns, data } = await computeDescriptors(paths, { progress, ...failing });
      return { rows, columns, data };
    }
    const { kind: _, backbone: __, ...plan } = input;
    const { rows, columns, data } = await extractFeatures(
      paths,
      await this.#weightsOf(index, input),
      featurePlan(plan),
      { progress, turn, ...failing },
    );
    return { rows, columns, data };
  }

  #weightsOf(
    index: number,
    { backbone }: Extract<PhotoInput, { kind: 'backbone' }>,
  ): Promise<ResolvedWeights> {
    const coming = this.#weights.get(index) ?? trainedWeights(backbone, this.#trainedWith[index]);
    this.#weights.set(index, coming);
    return coming;
  }
}

const nameOf = (input: PhotoInput): string => (input.kind === 'descriptors' ? input.kind : input.backbone);

/** The rows of the photos that did not fail; who asked is told of the others. */
function usableRows(
  paths: readonly string[],
  matrix: Matrix,
  failures: ReadonlyMap<string, SwardError>,
  { onUnusable }: ReadOptions,
): PhotoFeatures {
  const unusable = new Set<number>();
  paths.forEach((path, index) => {
    const error = failures.get(path);
    if (!error) return;
    unusable.add(index);
    onUnusable?.(error);
  });
  if (unusable.size > 0 && unusable.size === paths.length) {
    throw new SwardError(`none of the ${paths.length} photos can be used`);
  }
  const usable = paths.map((_, index) => index).filter((index) => !unusable.has(index));
  return { matrix: unusable.size > 0 ? takeRows(matrix, usable) : matrix, unusable };
}
