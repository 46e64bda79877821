import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stackedCombination, weightedCombination } from '../estimators/combination/combination.ts';
import { type FittedPipeline, pipelineStages } from '../estimators/combination/pipeline.ts';
import { readStack } from '../estimators/combination/stacking.ts';
import { stepsGraph } from '../estimators/post-processing/steps.ts';
import { InputError, type SwardError, UsageError } from '../ground/errors.ts';
import { featureSetsOf, joinFeatureSets, takeColumns } from '../ground/matrix.ts';
import { mean } from '../ground/statistics.ts';
import { type CovariateSet, countsKnownBy, knownSet, sameSet, setName } from '../pasture/covariates.ts';
import { byMass, type Targets } from '../pasture/targets.ts';
import type { Samples } from '../samples/samples.ts';
import type { MassMap } from '../vision/biomass-map/index.ts';
import type { Framing } from '../vision/framing/index.ts';
import { type Calibration, calibrate, type StoredCalibration, storedCalibration } from './calibration.ts';
import { stackFolderOf } from './covariate-cases.ts';
import type { RunCovariate } from './covariates.ts';
import { requireFinite } from './cross-validation.ts';
import { ensembleDropoutSpreads, type MemberAnswer } from './ensemble-dropout.ts';
import { type EnsembleManifest, frameAreaOf, readTrainedManifest } from './manifest.ts';
import type { PhotoPrediction } from './prediction.ts';
import { ensembleResults } from './read-results.ts';
import type { RunResults } from './results.ts';
import type {
  GraphStart,
  KeepLoaded,
  PhotoStates,
  PredictOptions,
  Run,
  RunCapabilities,
  RunGraph,
} from './run.ts';
import { requireUnchanged } from './run-folder.ts';
import { isStoredRun, placeFrom, runHere } from './stored-run.ts';
import { noMaps, requireAllMasses, TrainedRun } from './trained-run.ts';

/** A member, and the feature files it was trained on where it was. */
interface Member {
  readonly run: TrainedRun;
  readonly features: readonly string[] | null;
}

/** What a report calls an ensemble. */
export function ensembleName({ members, method }: Pick<EnsembleManifest, 'members' | 'method'>): string {
  return `ensemble of ${members.length} ${members.length === 1 ? 'run' : 'runs'} (${method})`;
}

/**
 * Runs whose predictions are combined: every member predicts the samples, then the weights and the post-processing that
 * were fitted to all out-of-fold rows make one answer of them. `folds` of a prediction holds what the members' models
 * of each fold make together; where members have different numbers of folds, the answer itself.
 */
export class EnsembleRun implements Run {
  readonly kind = 'ensemble';
  readonly about = null;
  readonly crop = null;
  readonly folder: string;
  readonly manifest: EnsembleManifest;
  readonly #keepLoaded: KeepLoaded;
  readonly #origin: string;
  #calibration: Promise<Calibration> | undefined;
  #members: Promise<Member[]> | undefined;
  readonly #pipelines = new Map<string, Promise<FittedPipeline>>();

  /** @param origin where it lies, if that is a bucket: from there its members are found */
  constructor(folder: string, manifest: EnsembleManifest, keepLoaded: KeepLoaded, origin = folder) {
    this.folder = folder;
    this.#origin = origin;
    this.manifest = manifest;
    this.#keepLoaded = keepLoaded;
  }

  get name(): string {
    return ensembleName(this.manifest);
  }

  get fingerprint(): string {
    return this.manifest.fingerprint;
  }

  get covariates(): readonly RunCovariate[] {
    return this.manifest.data.covariates ?? [];
  }

  get areaSquareMetres(): number {
    return frameAreaOf(this.manifest);
  }

  async capabilities(): Promise<RunCapabilities> {
    const members = await this.#opened();
    const all = await Promise.all(members.map(({ run }) => run.capabilities()));
    return {
      predictsFrom: all[0]?.predictsFrom ?? null,
      // Members without dropout say what they always say.
      dropout: all.some(({ dropout }) => dropout),
      maps: false,
      graph: this.manifest.weights !== null && all.every(({ graph }) => graph),
      ownBackbones: all.some(({ ownBackbones }) => ownBackbones),
      results: true,
      masses: byMass((mass) => all.every(({ masses }) => masses[mass])),
    };
  }

  async requireAnswers(samples: Samples, options: PredictOptions = {}): Promise<void> {
    const { states: _, ...shared } = options;
    await this.#requireOptions(options);
    const shownTo = await this.#shown(samples);
    for (const [index, member] of (await this.#opened()).entries()) {
      await member.run.requireAnswers(shownTo(member), { ...shared, member: index });
    }
  }

  async #requireOptions({ states, dropoutSamples }: PredictOptions): Promise<void> {
    this.#requireStates(states);
    if (dropoutSamples && !(await this.capabilities()).dropout) {
      throw new UsageError('--mc-dropout: every member of the run has a recipe without dropout');
    }
  }

  /** What each member is shown of samples. @throws as {@link #featuresOf} */
  async #shown(samples: Samples): Promise<(member: Member) => Samples> {
    return samples.hasPhotos ? () => samples : this.#featuresOf(samples, await this.#opened());
  }

  async predict(samples: Samples, options: PredictOptions = {}): Promise<PhotoPrediction[]> {
    const { states, dropoutSamples, dropoutFirst = [], onUnusable, ...shared } = options;
    await this.#requireOptions(options);
    const members = await this.#opened();
    const asked = samples.knownBy(this.#covariateSets());
    const shownTo = await this.#shown(asked);
    const told = toldOnce(onUnusable);
    const byMember: PhotoPrediction[][] = [];
    for (const [index, member] of members.entries()) {
      byMember.push(
        await member.run.predict(shownTo(member), {
          ...shared,
          ...(dropoutSamples && {
            dropoutSamples,
            dropoutFirst: countsKnownBy(dropoutFirst, this.#covariateSets()),
          }),
          ...(told && { onUnusable: told }),
          member: index,
        }),
      );
    }
    const used = new Map(
      asked.facts.map(({ id, readings }) => [id, knownSet(this.#covariateSets(), readings)]),
    );
    return this.#byCase(byMember, used, states, dropoutSamples);
  }

  calibration(): Promise<Calibration> {
    this.#calibration ??= this.results().then(calibrate);
    return this.#calibration;
  }

  async storedCalibration(): Promise<StoredCalibration> {
    return storedCalibration(await this.results());
  }

  results(): Promise<RunResults> {
    return ensembleResults(this.folder, this.manifest, this.name);
  }

  async graph(start: GraphStart = 'photos'): Promise<RunGraph> {
    const { weights: table, post } = this.manifest;
    if (this.covariates.length > 0) {
      throw new UsageError(
        `${this.folder}: members of the ensemble are combined in one way with ${this.covariates.map(({ name }) => name).join(' and ')} and in ` +
          'another without, which no single ONNX model does; export a member, or runs without covariates',
      );
    }
    if (!table) {
      throw new UsageError(
        `${this.folder}: a stacking ensemble cannot be an ONNX model; combine by nnls, caruana or mean`,
      );
    }
    const members = (await this.#opened()).flatMap(({ run }, index) => {
      const weights = table.map((ofTarget) => ofTarget[index] ?? 0);
      // A member without any weight is kept by the ensemble for the record, but has nothing to say.
      return weights.every((weight) => weight === 0) ? [] : [{ run, weights }];
    });
    for (const { run } of members) {
      // Blends and what follows them are of all five.
      requireAllMasses(run.folder, (await run.capabilities()).masses);
      await run.graph(start);
    }
    return {
      members,
      finish: post.length > 0 ? (masses) => stepsGraph(post, masses) : null,
      fingerprint: this.fingerprint,
    };
  }

  maps(): Promise<MassMap[]> {
    throw noMaps(this.folder);
  }

  async dispose(): Promise<void> {
    // Members that could not be opened have been told of.
    const members = (await this.#members?.catch(() => null)) ?? [];
    this.#members = undefined;
    for (const { run } of members) await run.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  [Symbol.dispose](): void {
    void this.dispose();
  }

  /** The members where they lie now. @throws InputError when one is gone or was trained again otherwise */
  #opened(): Promise<Member[]> {
    this.#members ??= openMembers(this.#origin, this.manifest, this.#keepLoaded);
    return this.#members;
  }

  /** The sets of covariates by which photos are answered apart, the largest first. */
  #covariateSets(): CovariateSet[] {
    return (this.manifest.cases ?? []).map(({ covariates }) => covariates);
  }

  #fitted(set: CovariateSet): Promise<FittedPipeline> {
    const known = this.#pipelines.get(setName(set));
    if (known) return known;
    const reading = (async (): Promise<FittedPipeline> => {
      const own = this.manifest.cases?.find(({ covariates }) => sameSet(covariates, set));
      const { weights, post } = own ?? this.manifest;
      const combination = weights
        ? weightedCombination(weights)
        : stackedCombination(await readStack(join(this.folder, stackFolderOf(set))));
      return { combination, steps: post };
    })();
    this.#pipelines.set(setName(set), reading);
    return reading;
  }

  /** Combines the answers of photos by what was read of them, and puts them in their order again. */
  async #byCase(
    byMember: readonly (readonly PhotoPrediction[])[],
    used: ReadonlyMap<string, CovariateSet>,
    states: PhotoStates | undefined,
    dropoutSamples: number | undefined,
  ): Promise<PhotoPrediction[]> {
    const answers = new Map<string, PhotoPrediction>();
    for (const set of [...this.#covariateSets(), []]) {
      const own = byMember.map((all) => all.filter(({ imageId }) => sameSet(used.get(imageId) ?? [], set)));
      if (own[0]?.length === 0) continue;
      for (const answer of await this.#combined(own, set, states, dropoutSamples)) {
        answers.set(answer.imageId, answer);
      }
    }
    return (byMember[0] ?? []).flatMap(({ imageId }) => answers.get(imageId) ?? []);
  }

  #requireStates(states: PhotoStates | undefined): void {
    const needed = this.manifest.post.some((step) => step.kind === 'wa-dead');
    if (needed && !states) {
      throw new UsageError(
        `${this.folder} applies wa-dead, which needs the photos' States; give --state WA or a CSV`,
      );
    }
    if (!needed && states) {
      throw new UsageError(`--state: ${this.folder} applies no rule that needs the State`);
    }
  }

  /**
   * Which of the feature sets each member is to be shown: one set for each feature file that members were trained on,
   * in the order in which the members first name them.
   *
   * @throws UsageError when there are too few or too many, or members were trained on photos
   */
  async #featuresOf(samples: Samples, members: readonly Member[]): Promise<(member: Member) => Samples> {
    const trainedOn = [...new Set(members.flatMap(({ features }) => features ?? []))];
    if (members.some(({ features }) => features === null)) {
      throw new UsageError(`${this.folder} was trained on photos; give photos instead of --features`);
    }
    const sets = featureSetsOf(await samples.features());
    if (trainedOn.length !== sets.length) {
      throw new UsageError(
        `${this.folder} needs ${trainedOn.length} feature files, not ${sets.length}: --features ` +
          `for ${trainedOn.join(', ')}, in this order with commas between`,
      );
    }
    return ({ features }) =>
      samples.withFeatures((matrix) =>
        joinFeatureSets(
          (features ?? []).map((file) => {
            const set = sets[trainedOn.indexOf(file)] as (typeof sets)[number];
            const columns = Array.from({ length: set.columns }, (_, column) => set.start + column);
            return { name: set.name, matrix: takeColumns(matrix, columns), file: set.file };
          }),
        ),
      );
  }

  async #combined(
    byMember: readonly (readonly PhotoPrediction[])[],
    set: CovariateSet,
    states: PhotoStates | undefined,
    dropoutSamples: number | undefined,
  ): Promise<PhotoPrediction[]> {
    const byId = byMember.map((all) => new Map(all.map((prediction) => [prediction.imageId, prediction])));
    const photos = (byMember[0] ?? []).filter(({ imageId }) => byId.every((known) => known.has(imageId)));
    const aligned = byId.map((known) => photos.map(({ imageId }) => known.get(imageId) as PhotoPrediction));
    const photoStates = photos.map(({ imageId }) => states?.(imageId) ?? null);
    const pipeline = await this.#fitted(set);
    const answer: MemberAnswer = async (pick) => {
      const said = aligned.map((predictions) => predictions.map(pick));
      return (await pipelineStages(pipeline, said, photoStates)).at(-1) ?? [];
    };
    const { masses } = await this.capabilities();
    const targets = await answer((prediction) => prediction.targets);
    const counts = new Set(aligned.flat().map(({ folds }) => folds.length));
    const folds: Targets[][] = [];
    if (counts.size === 1) {
      for (let fold = 0; fold < Math.max(...counts); fold++) {
        folds.push(await answer((prediction) => prediction.folds[fold] as Targets));
      }
    } else {
      folds.push(targets);
    }
    const spreads = dropoutSamples
      ? await ensembleDropoutSpreads(aligned.flat(), dropoutSamples, answer)
      : null;
    return photos.map(({ imageId, path }, photo) => {
      requireFinite(targets[photo] as Targets, imageId, this.folder, masses);
      return {
        imageId,
        path,
        targets: targets[photo] as Targets,
        folds: folds.map((answers) => answers[photo] as Targets),
        dropoutSpread: spreads?.[photo] ?? null,
        intervals: null,
        trainedOn: anyOrNull(aligned.flatMap((predictions) => predictions[photo]?.trainedOn ?? [])),
        outOfDomain: meanOrNull(aligned.flatMap((predictions) => predictions[photo]?.outOfDomain ?? [])),
        ...(this.covariates.length > 0 && {
          covariates: set,
          outside: [...new Set(aligned.flatMap((predictions) => predictions[photo]?.outside ?? []))],
        }),
        ...sharedFraming(aligned.map((predictions) => predictions[photo]?.framing)),
      };
    });
  }
}

async function openMembers(
  origin: string,
  { members }: EnsembleManifest,
  keepLoaded: KeepLoaded,
): Promise<Member[]> {
  const found: Member[] = [];
  for (const member of members) {
    const place = placeFrom(origin, member.run);
    if (!existsSync(place) && !(await isStoredRun(place))) {
      const what = `is a member of ${origin} and is not there any more`;
      throw new InputError(place, what, 'put it back, or make the ensemble again');
    }
    const path = await runHere(place);
    const manifest = await readTrainedManifest(path);
    if (manifest.fingerprint !== member.fingerprint) {
      throw new InputError(place, `was trained again since ${origin} was made`, 'make the ensemble again');
    }
    await requireUnchanged(path, manifest);
    const { source } = manifest.data;
    const onFeatures = manifest.recipe.input.kind === 'features' && source?.kind === 'features';
    found.push({
      run: new TrainedRun(path, manifest, keepLoaded),
      features: onFeatures ? source.features.map((file) => placeFrom(place, file)) : null,
    });
  }
  if (new Set(found.map(({ features }) => features === null)).size > 1) {
    throw new InputError(
      origin,
      'has members trained on photos and members trained on features',
      'predict with an ensemble whose members all take the same',
    );
  }
  return found;
}

/** What of a photo counted for all members; nothing where that differs. */
function sharedFraming(framings: readonly (Framing | undefined)[]): { readonly framing?: Framing } {
  const [first] = framings;
  return first !== undefined && framings.every((framing) => framing === first) ? { framing: first } : {};
}

const anyOrNull = (values: readonly boolean[]): boolean | null =>
  values.length > 0 ? values.includes(true) : null;

const meanOrNull = (values: readonly number[]): number | null => (values.length > 0 ? mean(values) : null);

/** Passes on each failure once, though every member meets it. */
function toldOnce(
  onUnusable: ((error: SwardError) => void) | undefined,
): ((error: SwardError) => void) | undefined {
  const told = new Set<string>();
  return (
    onUnusable &&
    ((error) => {
      if (told.has(error.message)) return;
      told.add(error.message);
      onUnusable(error);
    })
  );
}
