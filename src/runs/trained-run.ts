import { resolve } from 'node:path';
import { readFeatureTables } from '../data/feature-tables.ts';
import { countOf } from '../ground/counts.ts';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { type RandomStream, randomStream } from '../ground/random.ts';
import type { Estimator, FittedModel } from '../learning/estimator.ts';
import {
  type CountsBySet,
  type CovariateSet,
  countsKnownBy,
  hasSet,
  knownSet,
} from '../pasture/covariates.ts';
import { massesIn, massWords } from '../pasture/partial.ts';
import { byMass, MASS_NAMES, type Targets } from '../pasture/targets.ts';
import { recipeEstimator } from '../recipes/registry.ts';
import { NoUsablePhotos, PhotoReader, type UsedFeatureSet } from '../samples/photo-reader.ts';
import { featureRows, Samples } from '../samples/samples.ts';
import type { MassMap } from '../vision/biomass-map/index.ts';
import { computeDescriptors } from '../vision/descriptors/index.ts';
import { type Crop, framedPhotos, framingOf } from '../vision/framing/index.ts';
import { inspectPhoto, type Photo, wholePhoto } from '../vision/photos/index.ts';
import {
  type Calibration,
  calibrate,
  restoredCalibration,
  type StoredCalibration,
  storedCalibration,
} from './calibration.ts';
import { readCalibration } from './calibration-file.ts';
import { outsideRange } from './covariate-range.ts';
import type { RunCovariate } from './covariates.ts';
import { requireFinite } from './cross-validation.ts';
import { outOfDomainShares, readDomain, type StoredDomain } from './domain/index.ts';
import { type AboutRun, frameAreaOf, requireData, type TrainedManifest } from './manifest.ts';
import { type DropoutDraws, dropoutSpreads, meanTargets, type PhotoPrediction } from './prediction.ts';
import { trainedResults } from './read-results.ts';
import type { RunResults } from './results.ts';
import {
  type GraphStart,
  type KeepLoaded,
  type PredictOptions,
  type Run,
  type RunCapabilities,
  type RunGraph,
  type RunMember,
  TEST_TIME_TURNS,
} from './run.ts';
import { foldFolder } from './run-folder.ts';
import { areTrainedOn, readTrainingPhotos } from './training-photos.ts';

/** What a trained run is asked as a member of an ensemble. */
export interface MemberOptions extends PredictOptions {
  /**
   * Which member of an ensemble the run predicts as, from 0: what it draws with dropout left on is its own and is
   * kept, and it may have no dropout.
   */
  readonly member?: number;
}

/** Samples as the models of a run are shown them: as they are, and in all views that predictions are averaged over. */
interface Shown {
  readonly samples: Samples;
  /** The samples in one view after another; or, of features, the views' rows together. */
  readonly views: readonly Samples[];
  readonly viewCount: number;
}

/** A run that was trained or imported: one model a fold. */
export class TrainedRun implements Run, RunMember {
  readonly kind = 'trained';
  readonly folder: string;
  readonly manifest: TrainedManifest;
  readonly #keepLoaded: KeepLoaded;
  readonly #estimator: Estimator;
  readonly #reader: PhotoReader | null;
  #models: Promise<FittedModel[]> | undefined;
  #domain: Promise<StoredDomain | null> | undefined;
  #calibration: Promise<Calibration> | undefined;
  #trainingPhotos: Promise<ReadonlySet<string> | null> | undefined;

  /**
   * @param manifest of a finished run, whose files are unchanged
   * @param keepLoaded what stays in memory after a prediction
   */
  constructor(folder: string, manifest: TrainedManifest, keepLoaded: KeepLoaded) {
    this.folder = folder;
    this.manifest = manifest;
    this.#keepLoaded = keepLoaded;
    this.#estimator = recipeEstimator(manifest.recipe, { trainedWith: this.sets[0]?.weights });
    const { input } = manifest.recipe;
    this.#reader = input.kind === 'features' ? null : new PhotoReader(input, this.sets);
  }

  get name(): string {
    return this.manifest.recipe.name;
  }

  get fingerprint(): string {
    return this.manifest.fingerprint;
  }

  get areaSquareMetres(): number {
    return frameAreaOf(this.manifest);
  }

  get about(): AboutRun | null {
    return this.manifest.about ?? null;
  }

  get covariates(): readonly RunCovariate[] {
    return this.manifest.data.covariates ?? [];
  }

  get sets(): UsedFeatureSet[] {
    return this.manifest.data.sets.map(({ weights, ...set }) => ({
      ...set,
      weights: weights && {
        ...weights,
        file: weights.file === null ? null : resolve(this.folder, weights.file),
      },
    }));
  }

  models(): Promise<FittedModel[]> {
    this.#models ??= (async () => {
      const models: FittedModel[] = [];
      for (let fold = 0; fold < this.manifest.folds.count; fold++) {
        models.push(await this.#estimator.read(foldFolder(this.folder, fold)));
      }
      return models;
    })();
    return this.#models;
  }

  domain(): Promise<StoredDomain | null> {
    this.#domain ??= readDomain(this.folder);
    return this.#domain;
  }

  trainingPhotos(): Promise<ReadonlySet<string> | null> {
    this.#trainingPhotos ??= readTrainingPhotos(this.folder);
    return this.#trainingPhotos;
  }

  async capabilities(): Promise<RunCapabilities> {
    const models = await this.models();
    const all = models.map(({ capabilities }) => capabilities);
    return {
      masses: byMass((mass) => models.every(({ predicts }) => predicts[mass])),
      predictsFrom: this.#reader ? 'photos' : 'features',
      dropout: all.every(({ dropout }) => dropout),
      maps: all.every(({ maps }) => maps),
      graph: notOfPhotos(this.manifest.recipe, 'photos') === null && all.every(({ graph }) => graph),
      ownBackbones: this.#estimator.predictsFrom === 'photos',
      results: this.manifest.data.source !== null,
    };
  }

  async requireAnswers(samples: Samples, options: MemberOptions = {}): Promise<void> {
    await this.#requireOptions(options);
    await this.#requireKind(samples);
  }

  async #requireOptions(options: MemberOptions): Promise<void> {
    const { states, dropoutSamples, member } = options;
    if (states) throw new UsageError(`--state: ${this.folder} applies no rule that needs the State`);
    if (dropoutSamples && member === undefined && !(await this.capabilities()).dropout) {
      throw new UsageError('--mc-dropout: the run has a recipe without dropout');
    }
    this.#cropOf(options);
  }

  async #requireKind(samples: Samples): Promise<void> {
    if (this.#reader) {
      if (samples.hasPhotos) return;
      throw new UsageError(`${this.folder} was trained on photos; give photos instead of --features`);
    }
    if (samples.hasPhotos) {
      throw new UsageError(
        `${this.folder} was trained on features and reads no photos: make those of the photos and ask by sward predict ` +
          `${this.folder} --features F.npy --ids ids.txt`,
      );
    }
    this.#requireSets(await samples.features());
  }

  async predict(samples: Samples, options: MemberOptions = {}): Promise<PhotoPrediction[]> {
    await this.#requireOptions(options);
    const { dropoutSamples, dropoutFirst = [], member, outOfDomain = true, progress = SILENT } = options;
    const crop = this.#cropOf(options);
    const sets = await this.#covariateSets();
    const shown = await this.#show(samples.knownBy(sets), options);
    const byFold = await this.#predictEachFold(shown, progress);
    await this.#doneReading();
    const random = randomStream(this.manifest.seed).fork('dropout');
    // Members of one seed would else draw the same, and what they leave out would be no chance of each one's own.
    const own = member === undefined ? random : random.fork(`member ${member}`);
    const draws = dropoutSamples
      ? await this.#dropoutDraws(shown.samples, dropoutSamples, own, countsKnownBy(dropoutFirst, sets))
      : null;
    const spreads = draws && dropoutSpreads(draws);
    const shares = outOfDomain ? await this.#domainShares(shown.samples, progress) : null;
    const trainedOn = await this.#areTrainedOn(shown.samples);
    const { masses } = await this.capabilities();
    return shown.samples.facts.map(({ id, readings }, row) => {
      const used = knownSet(sets, readings);
      const outside = outsideRange(this.covariates, readings, used);
      const folds = byFold.map((seen) => meanTargets(seen.map((view) => view[row] as Targets)));
      folds.forEach((targets, fold) => {
        requireFinite(targets, id, `fold ${fold} of ${this.folder}`, masses);
      });
      return {
        imageId: id,
        path: shown.samples.hasPhotos ? pathOf(shown.samples.photos[row]) : null,
        targets: meanTargets(folds),
        folds,
        dropoutSpread: spreads?.[row] ?? null,
        ...(draws &&
          member !== undefined && {
            dropoutDraws: draws.map((folded) => folded.map((draw) => draw[row] as Targets)),
          }),
        intervals: null,
        // No training photo has such a reading, so that all of them are nearer.
        outOfDomain: outside.length > 0 ? 1 : (shares?.[row] ?? null),
        trainedOn: trainedOn?.[row] ?? null,
        ...(this.covariates.length > 0 && { covariates: used, outside }),
        ...(crop && { framing: framingOf(shown.samples.photos[row] as Photo) }),
      };
    });
  }

  get crop(): Crop | null {
    return this.manifest.recipe.crop ?? null;
  }

  #cropOf({ crop = this.crop }: Pick<PredictOptions, 'crop'>): Crop | null {
    if (crop === null || this.#reader) return crop;
    throw new UsageError(`--crop is for photos, and ${this.folder} was trained on features`);
  }

  calibration(): Promise<Calibration> {
    this.#calibration ??= this.manifest.data.source
      ? this.results().then(calibrate)
      : readCalibration(this.folder).then(restoredCalibration);
    return this.#calibration;
  }

  async storedCalibration(): Promise<StoredCalibration> {
    return this.manifest.data.source ? storedCalibration(await this.results()) : readCalibration(this.folder);
  }

  async results(): Promise<RunResults> {
    requireData(this.folder, this.manifest);
    return trainedResults(this.folder, this.manifest);
  }

  /**
   * The features it was trained on, one row a training photo, from where its data were.
   *
   * @throws InputError when the data are not there any more
   */
  async trainingFeatures(): Promise<Matrix> {
    const source = requireData(this.folder, this.manifest);
    if (source.kind === 'features') {
      const from = (path: string): string => resolve(this.folder, path);
      return (await readFeatureTables(source.features.map(from), from(source.ids))).matrix;
    }
    const { rows } = await this.results();
    const paths = rows.flatMap(({ photoPath }) => photoPath ?? []);
    const photos = await framedPhotos(paths, this.crop);
    const { matrix } = await (this.#reader as PhotoReader).read(photos);
    await this.#doneReading();
    return matrix;
  }

  async graph(start: GraphStart = 'photos'): Promise<RunGraph> {
    const { name, estimator } = this.manifest.recipe;
    const { masses } = await this.capabilities();
    const models = await this.models();
    if (start === 'photos') requireAllMasses(this.folder, masses);
    const reason = notOfPhotos(this.manifest.recipe, start);
    if (reason) throw new UsageError(`${this.folder}: ${reason}`);
    if (!models.every(({ capabilities }) => capabilities.graph)) {
      const what = `${name} (${estimator.kind})`;
      throw new UsageError(`${this.folder}: ${what} cannot be written as an ONNX model; export another run`);
    }
    const sets = await this.#covariateSets();
    if ((await this.models()).some(({ covariateSets }) => covariateSets.length !== sets.length)) {
      throw new UsageError(
        `${this.folder}: some folds had too few photos to read ${this.covariates.map(({ name }) => name).join(' and ')} ` +
          'together, and an ONNX model reads the same in all; train with fewer covariates',
      );
    }
    return {
      members: [{ run: this, weights: [1, 1, 1, 1, 1] }],
      finish: null,
      fingerprint: this.fingerprint,
    };
  }

  async maps(samples: Samples, options: Pick<PredictOptions, 'crop'> = {}): Promise<MassMap[]> {
    if (!(await this.capabilities()).maps) throw noMaps(this.folder);
    const shown = await this.#show(samples.knownBy(await this.#covariateSets()), options);
    const models = await this.models();
    let means: MassMap[] = [];
    for (const model of models) {
      const maps = await model.maps(shown.samples);
      await this.#done(model);
      means = maps.map((map, photo) => {
        const sum = means[photo]?.grams;
        const share = (grams: number, at: number): number => (sum?.[at] ?? 0) + grams / models.length;
        return { ...map, grams: Float32Array.from(map.grams, share) };
      });
    }
    return means;
  }

  async dispose(): Promise<void> {
    // Models that could not be read have been told of.
    const models = (await this.#models?.catch(() => null)) ?? [];
    this.#models = undefined;
    for (const model of models) await model.release();
    await this.#reader?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  [Symbol.dispose](): void {
    void this.dispose();
  }

  async #done(model: FittedModel): Promise<void> {
    if (this.#keepLoaded !== true) await model.release();
  }

  async #doneReading(): Promise<void> {
    if (!this.#keepLoaded) await this.#reader?.close();
  }

  async #show(given: Samples, options: PredictOptions): Promise<Shown> {
    const crop = this.#cropOf(options);
    await this.#requireKind(given);
    const samples =
      crop && given.hasPhotos ? given.withPhotos(await framedPhotos(given.photos, crop, options)) : given;
    const reader = this.#reader;
    if (!reader) return { samples, views: [samples], viewCount: 1 };
    // Descriptors are the same for every turn of a photo.
    const turns = TEST_TIME_TURNS[reader.seesTurns ? (options.tta ?? 'none') : 'none'];
    const { progress = SILENT, onUnusable } = options;
    if (this.#estimator.predictsFrom === 'photos') {
      const usable = onUnusable ? await decodable(samples, onUnusable) : samples;
      const own = usable.withSource(reader.source(usable.photos, { progress, keepLoaded: true }));
      return { samples: own, views: turns.map((turn) => own.turned(turn)), viewCount: turns.length };
    }
    // Photos that cannot be used drop out in the first view.
    const first = await reader.read(samples.photos, { progress, ...(onUnusable && { onUnusable }) });
    const usable = samples.take(samples.facts.flatMap((_, item) => (first.unusable.has(item) ? [] : [item])));
    const views = [first.matrix];
    for (const turn of turns.slice(1)) {
      views.push((await reader.read(usable.photos, { progress, turn })).matrix);
    }
    await this.#doneReading();
    const own = usable.withSource({ photos: usable.photos, features: async () => first.matrix });
    const together = stackedViews(views);
    return {
      samples: own,
      views: together
        ? [
            new Samples(
              views.flatMap(() => usable.facts),
              featureRows(together),
            ),
          ]
        : views.map((view) => new Samples(usable.facts, featureRows(view))),
      viewCount: views.length,
    };
  }

  /** @throws UsageError or InputError where rows are not of the feature sets the run was trained on */
  #requireSets(matrix: Matrix): void {
    const { sets } = this.manifest.data;
    const given = matrix.sets ?? [{ name: 'features', columns: matrix.columns }];
    if (given.length !== sets.length) {
      throw new UsageError(
        `${this.folder} was trained on ${sets.length} feature file${sets.length > 1 ? 's' : ''} ` +
          `(${sets.map(({ name }) => name).join(', ')}); give as many, not ${given.length}`,
      );
    }
    for (const [index, { name, columns }] of sets.entries()) {
      const own = given[index];
      if (own?.columns === columns) continue;
      throw new InputError(
        own?.file ?? own?.name ?? name,
        `has ${countOf(own?.columns ?? 0, 'column')}, but ${this.folder} was trained on ${columns} (${name})`,
        'make the features with the same backbone and settings, and give the files in the same order',
      );
    }
  }

  /** The sets of covariates that the model of every fold reads, so that all answer a photo by the same. */
  async #covariateSets(): Promise<CovariateSet[]> {
    const [first, ...others] = await this.models();
    return (first?.covariateSets ?? []).filter((set) =>
      others.every(({ covariateSets }) => hasSet(covariateSets, set)),
    );
  }

  /** What each model says of each sample in each view, grams. `[fold][view][sample]` */
  async #predictEachFold({ views, viewCount }: Shown, progress: Progress): Promise<Targets[][][]> {
    const models = await this.models();
    // Only backbones of the folds' own take long; features have been made by now.
    const isLong = this.#estimator.predictsFrom === 'photos';
    if (isLong)
      progress.stage('Predicting with every fold', models.length * views.length, 'passes over the photos');
    const folds: Targets[][][] = [];
    for (const model of models) {
      const seen: Targets[][] = [];
      for (const view of views) {
        const all = await model.predict(view);
        const rows = (all.length * views.length) / viewCount;
        for (let start = 0; start < all.length; start += rows) seen.push(all.slice(start, start + rows));
        if (isLong) progress.advance();
      }
      await this.#done(model);
      folds.push(seen);
    }
    if (isLong) progress.done();
    return folds;
  }

  /** `draws` predictions of each fold model with dropout left on; null where they have none. */
  async #dropoutDraws(
    samples: Samples,
    draws: number,
    random: RandomStream,
    first: CountsBySet,
  ): Promise<DropoutDraws | null> {
    if (!(await this.capabilities()).dropout) return null;
    const folds: Targets[][][] = [];
    for (const [fold, model] of (await this.models()).entries()) {
      folds.push(await model.sampleDropout(samples, draws, random.fork(fold), first));
    }
    return folds;
  }

  /** Whether the run was trained on each photo; null where it does not know, or there are none. */
  async #areTrainedOn(samples: Samples): Promise<boolean[] | null> {
    if (!samples.hasPhotos) return null;
    const known = await this.trainingPhotos();
    return known && areTrainedOn(known, samples.photos);
  }

  /** How unlike the training photos each sample is; null where the run keeps no record to tell that by. */
  async #domainShares(samples: Samples, progress: Progress): Promise<number[] | null> {
    const domain = await this.domain();
    if (this.#estimator.predictsFrom === 'features') {
      return domain?.of === 'inputs' ? outOfDomainShares(domain, await samples.features()) : null;
    }
    return domain?.of === 'descriptors'
      ? outOfDomainShares(domain, await computeDescriptors(samples.photos, { progress }))
      : null;
  }
}

/** @throws UsageError for a run that was not taught all masses, which an ONNX model of photos answers with */
export function requireAllMasses(folder: string, masses: RunCapabilities['masses']): void {
  if (MASS_NAMES.every((mass) => masses[mass])) return;
  throw new UsageError(
    `${folder} was taught ${massWords(massesIn(masses))} alone, and an ONNX model answers all five masses; export another run`,
  );
}

/** Why a run is no model from pixels to masses; null where it may be one. */
function notOfPhotos({ input }: TrainedManifest['recipe'], start: GraphStart): string | null {
  const kinds = (input.kind === 'several' ? input.sets : [input]).map(({ kind }) => kind);
  if (kinds.includes('descriptors') && start === 'photos') {
    return (
      'descriptors are computed by sward itself, so the run cannot be an ONNX model for any program; --target browser ' +
      `writes it for the app, and ${OF_BACKBONE} for others`
    );
  }
  return kinds.includes('features')
    ? `the run was trained on a feature file, so it cannot be a model of photos; ${OF_BACKBONE} on photos to export`
    : null;
}

/** What makes a run that any program can run. */
const OF_BACKBONE = 'train with --recipe feature-ridge --set backbone=bundled (or another backbone)';

/** Where a photo lies; null for one that is no file here. */
function pathOf(photo: Photo | undefined): string | null {
  const whole = photo && wholePhoto(photo);
  return typeof whole === 'string' ? whole : null;
}

/** Why a run cannot be asked for maps. */
export const noMaps = (folder: string): UsageError =>
  new UsageError(
    `--map: ${folder} has no maps to draw; train --recipe density without reduction or transform`,
  );

/** The photos that decode. @throws SwardError when none does */
async function decodable(samples: Samples, onUnusable: (error: SwardError) => void): Promise<Samples> {
  const usable: number[] = [];
  for (const [item, photo] of samples.photos.entries()) {
    try {
      await inspectPhoto(photo);
      usable.push(item);
    } catch (error) {
      if (!(error instanceof SwardError)) throw error;
      onUnusable(error);
    }
  }
  if (usable.length === 0) throw new NoUsablePhotos(samples.count);
  return samples.take(usable);
}

/** Values of stacked views at most: 256 MiB. */
const STACKED_VALUES = 2 ** 25;

/** The rows of all views one after another, so that a model is run once; null where they are too many. */
function stackedViews(views: readonly Matrix[]): Matrix | null {
  const [first] = views;
  const values = views.reduce((sum, { data }) => sum + data.length, 0);
  if (!first || values > STACKED_VALUES) return null;
  if (views.length === 1) return first;
  const data = new Float64Array(values);
  views.forEach((matrix, view) => {
    data.set(matrix.data, view * first.data.length);
  });
  return { ...first, rows: first.rows * views.length, data };
}
