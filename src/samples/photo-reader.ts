import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { countOf } from '../ground/counts.ts';
import { SwardError, UsageError } from '../ground/errors.ts';
import { type FeatureSet, joinFeatureSets, type Matrix, takeRows } from '../ground/matrix.ts';
import { placeHere } from '../ground/moved-files.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { DESCRIPTOR_NAMES, openDescriber } from '../vision/descriptors/index.ts';
import { type FeatureExtractor, featurePlan, openExtractor } from '../vision/features/index.ts';
import type { Photo } from '../vision/photos/index.ts';
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
    if (!(error instanceof SwardError) || !existsSync(placeHere(trained.file))) throw error;
    return resolveTrainedWeights(trained.file, trained.sha256);
  }
}

/** What a run remembers of weights. */
function usedWeights({ source, sha256 }: ResolvedWeights): UsedWeights {
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

/** How features that are read on demand are read. */
export interface SourceOptions extends Pick<ReadOptions, 'progress'> {
  readonly keepLoaded?: boolean;
}

/** What one photo-reading input of a recipe is. */
type PhotoInput = Exclude<InputSettings, { kind: 'features' | 'several' }>;

/** Shows an estimator what a recipe's input says of photos: descriptors, features of backbones, or several of these. */
export class PhotoReader {
  readonly #inputs: readonly PhotoInput[];
  /** The weights that each input must have; null: any. */
  readonly #trainedWith: readonly (UsedWeights | null)[];
  readonly #weights = new Map<number, Promise<ResolvedWeights>>();
  readonly #describer = openDescriber();
  readonly #extractors = new Map<number, Promise<FeatureExtractor>>();

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
      const weights = await this.#weightsOf(index, input);
      const { columns } = await this.#extractorOf(index, input);
      sets.push({ columns, weights: usedWeights(weights) });
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
   * Reads photos. The backbones that were needed stay loaded until {@link close}.
   *
   * @throws SwardError when no photo can be used
   * @throws InputError for a photo or weights that cannot be used, or weights other than those asked for
   */
  async read(photos: readonly Photo[], options: ReadOptions = {}): Promise<PhotoFeatures> {
    const failures = new Map<Photo, SwardError>();
    const parts: { readonly name: string; readonly matrix: Matrix }[] = [];
    for (const [index, input] of this.#inputs.entries()) {
      if (index < (options.firstSet ?? 0)) continue;
      parts.push({
        name: nameOf(input),
        matrix: await this.#readOne(index, input, photos, failures, options),
      });
    }
    return usableRows(photos, joinFeatureSets(parts), failures, options);
  }

  /**
   * Photos whose features are read when they are asked for.
   *
   * @param keepLoaded whether backbones stay loaded afterwards; default: they do not
   */
  source(
    photos: readonly Photo[],
    { progress = SILENT, keepLoaded = false }: SourceOptions = {},
  ): SampleSource {
    let reading = 0;
    return remembered({
      photos,
      features: async (turn, firstSet = 0) => {
        reading++;
        try {
          return (await this.read(photos, { turn, firstSet, progress })).matrix;
        } finally {
          reading--;
          if (reading === 0 && !keepLoaded) await this.close();
        }
      },
    });
  }

  /** Ends what {@link read} loaded; the next reading loads it anew. */
  async close(): Promise<void> {
    const opened = [...this.#extractors.values()];
    this.#extractors.clear();
    await this.#describer.close();
    // Weights that could not be opened have been told of.
    for (const coming of opened) await (await coming.catch(() => null))?.close();
  }

  async #readOne(
    index: number,
    input: PhotoInput,
    photos: readonly Photo[],
    failures: Map<Photo, SwardError>,
    { progress = SILENT, turn = 0, onUnusable }: ReadOptions,
  ): Promise<Matrix> {
    const failing = onUnusable && {
      onError: (photo: Photo, error: SwardError) => failures.set(photo, error),
    };
    if (input.kind === 'descriptors') {
      const { rows, columns, data } = await this.#describer.describe(photos, { progress, ...failing });
      return { rows, columns, data };
    }
    const extractor = await this.#extractorOf(index, input);
    const { rows, columns, data } = await extractor.extract(photos, { progress, turn, ...failing });
    return { rows, columns, data };
  }

  #extractorOf(index: number, input: Extract<PhotoInput, { kind: 'backbone' }>): Promise<FeatureExtractor> {
    const { kind: _, backbone: __, ...plan } = input;
    const coming =
      this.#extractors.get(index) ??
      this.#weightsOf(index, input).then((weights) => openExtractor(weights, featurePlan(plan)));
    this.#extractors.set(index, coming);
    return coming;
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

/** All photos that were asked about are unusable; each has been told of. */
export class NoUsablePhotos extends SwardError {
  override name = 'NoUsablePhotos';

  /** @param first what is wrong with the first of them */
  constructor(count: number, first?: string) {
    const said =
      count === 1 ? 'the photo cannot be used' : `none of the ${countOf(count, 'photo')} can be used`;
    super(first === undefined ? said : `${said}; ${first}`);
  }
}

/** The rows of the photos that did not fail; who asked is told of the others. */
function usableRows(
  photos: readonly Photo[],
  matrix: Matrix,
  failures: ReadonlyMap<Photo, SwardError>,
  { onUnusable }: ReadOptions,
): PhotoFeatures {
  const unusable = new Set<number>();
  photos.forEach((photo, index) => {
    const error = failures.get(photo);
    if (!error) return;
    unusable.add(index);
    onUnusable?.(error);
  });
  if (unusable.size > 0 && unusable.size === photos.length) {
    throw new NoUsablePhotos(photos.length);
  }
  const usable = photos.map((_, index) => index).filter((index) => !unusable.has(index));
  return { matrix: unusable.size > 0 ? takeRows(matrix, usable) : matrix, unusable };
}
