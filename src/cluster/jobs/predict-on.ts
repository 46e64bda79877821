import { dirname, resolve } from 'node:path';
import { readIds, requireRowPerId } from '../../data/feature-tables.ts';
import { UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { joinFeatureSets } from '../../ground/matrix.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { markOf, TextMarks } from '../../ground/repeated-texts.ts';
import type { CountsBySet, Readings } from '../../pasture/covariates.ts';
import { BUNDLED_RUNS, STARTER } from '../../runs/bundled-runs.ts';
import { tablesBeside } from '../../runs/covariates.ts';
import { openRun } from '../../runs/open-run.ts';
import { onFrame, type PhotoPrediction } from '../../runs/prediction.ts';
import type { Run } from '../../runs/run.ts';
import { runUncertainty } from '../../runs/uncertainty.ts';
import { NoUsablePhotos } from '../../samples/photo-reader.ts';
import { featureRows, photoSamples, Samples, unknownSample } from '../../samples/samples.ts';
import { isObjectLocation, openStore } from '../../storage/index.ts';
import { type ReadSamples, withAskedReadings } from '../../workflows/predict/asked-readings.ts';
import { Copies } from '../../workflows/predict/copies.ts';
import { copiesLine, frameNote, PhotoNotes, sessionsNote } from '../../workflows/predict/notes.ts';
import {
  type PredictionOutcome,
  type PredictRunOptions,
  predictRun,
  requireOwnPictures,
  requirePictures,
  requireSoundOptions,
  toldOf,
  withRefusals,
} from '../../workflows/predict/predict.ts';
import type { ShownPaths } from '../../workflows/predict/prediction-record.ts';
import type { PhotoProblem, PictureKind } from '../units/answer.ts';
import { countsOf, sumOfCounts } from '../units/asked-counts.ts';
import { openedFeatures, setNameOf } from '../units/compute.ts';
import { type PredictWork, type UnitPhoto, unitKey } from '../units/spec.ts';
import { stageFiles } from '../units/staged.ts';
import { CHUNK_PHOTOS, requireChunk } from './chunks.ts';
import { DiskList } from './disk-list.ts';
import { plannedPhotos } from './kept-list.ts';
import { PartsPlace, type PartsSummary, PredictionParts } from './parts.ts';
import type { PartsFormat } from './parts-format.ts';
import { type ListedPhoto, listedPhotos, unitPhoto } from './photos.ts';
import { type Cluster, type DraftUnit, type PlannedJob, planJob, storeOf } from './planned-job.ts';
import { noneUsable, problemPath, writeProblems } from './problem-table.ts';
import { answersOf, clearAway, type Picture, readResult } from './results.ts';
import { runFiles } from './run-files.ts';

/** What is predicted on many machines, and how it is cut up. */
export interface PredictOnOptions extends Omit<PredictRunOptions, 'source' | 'run' | 'elsewhere'> {
  /** A run folder, here or in a store of objects, or the name of a run that comes with sward; default the starter. */
  readonly run?: string;
  /** As `listedPhotos` takes them; or feature files with their ids. */
  readonly source: readonly string[] | { readonly features: readonly string[]; readonly ids: string };
  readonly out: string;
  /** Photos of one unit; a multiple of 16. */
  readonly chunk?: number;
}

/** What came of it. */
export interface PredictedOn {
  readonly outcome: PredictionOutcome;
  readonly problems: number;
  /** The table of photos that could not be used; null where all could. */
  readonly problemsFile: string | null;
}

/**
 * Predicts as `predictRun` does, to the same file, with chunks of photos computed elsewhere. A photo that cannot be used is
 * a row of a table beside the result.
 *
 * @returns null where the work is planned alone
 * @throws as `predictRun`, and SwardError naming units that failed
 */
export async function predictOn(options: PredictOnOptions, cluster: Cluster): Promise<PredictedOn | null> {
  const { run = STARTER, out } = options;
  await using asked = await AskedElsewhere.of(options, cluster);
  await using problems = await DiskList.open<PhotoProblem>();
  const { samples, shownPaths } = await asked.whole(out);
  const copies = new Copies();
  let job: PlannedJob | undefined;
  const { chunk: _, ...rest } = options;
  try {
    const outcome = await predictRun({
      ...rest,
      run,
      source: { samples, shownPaths },
      elsewhere: {
        copies: copies.found,
        answers: async function* (opened, { facts }) {
          job = await planned(opened, run, asked, (item) => facts[item]?.readings ?? {}, options, cluster);
          if (!(await haveDone(job, cluster, options.progress))) throw new PlannedAlone();
          for await (const { predictions, hashes } of answered(job, options, problems, asked.count)) {
            for (const [item, { imageId }] of predictions.entries()) {
              const hash = hashes[item] ?? '';
              if (hash !== '') copies.add(hash, imageId);
            }
            yield predictions;
          }
        },
      },
    });
    const problemsFile = await writeProblems(problemPath(out), problems);
    if (job) await clearAway(job);
    return { outcome, problems: problems.count, problemsFile };
  } catch (error) {
    if (error instanceof PlannedAlone) return null;
    if (!(error instanceof NoUsablePhotos)) throw error;
    throw await noneUsable(asked.count, problems, await writeProblems(problemPath(out), problems));
  }
}

/**
 * Predicts into parts of many photos each, in a folder or below a prefix of a store of objects, with a summary: memory
 * does not grow with what is said of photos.
 *
 * @returns null where the work is planned alone
 * @throws as {@link predictOn}, and FinishedAlready where this very prediction is there
 */
export async function predictInParts(
  options: PredictOnOptions & { readonly format: PartsFormat; readonly photosPerPart?: number },
  cluster: Cluster,
): Promise<PartsSummary | null> {
  const { run: name = STARTER, out, format, progress = SILENT, photosPerPart } = options;
  requireSoundOptions({ ...options, run: name });
  const place = new PartsPlace(out);
  await using asked = await AskedElsewhere.of(options, cluster);
  await using problems = await DiskList.open<PhotoProblem>();
  await using run = await openRun(name, { keepLoaded: false });
  await requirePictures(run, options);
  await run.requireAnswers(await asked.first(), options);
  await asked.requireOwnPictures(options);
  const measured = await readingsOf(run, asked, options);
  const known = runUncertainty(await run.calibration());
  const told = toldOf(run, options);
  const { coverage } = told;
  const said = [
    frameNote(run, told.areaSquareMetres),
    ...measured.remarks,
    coverage === undefined ? null : sessionsNote(known.sessions, coverage),
  ];
  for (const line of said) if (line !== null) progress.line?.(line);
  // What is in the units of a job, and how it is said.
  const workOf = (job: string): string =>
    JSON.stringify({ job, parts: valueFingerprint([format, told, photosPerPart ?? null]) });
  const { gathers } = cluster.engine;
  if (gathers) await place.requireUnfinished(workOf(gathers.job));
  const job = await planned(run, name, asked, measured.of, options, cluster, (own) =>
    place.requireFree(workOf(own)),
  );
  if (!(await haveDone(job, cluster, progress))) return null;
  await place.take(workOf(job.jobs.job), job.jobs);
  const scale = told.areaSquareMetres / run.areaSquareMetres;
  await using parts = new PredictionParts(out, format, {
    ...told,
    run: name,
    work: workOf(job.jobs.job),
    ...(photosPerPart !== undefined && { photosPerPart }),
  });
  const marks = new TextMarks();
  const notes = new PhotoNotes();
  try {
    for await (const { predictions, hashes, unit } of answered(job, options, problems, asked.count)) {
      const some = withRefusals(predictions, measured.refused);
      for (const hash of hashes) if (hash !== '') marks.add(hash);
      const all = coverage === undefined ? some : known.withIntervals(some, coverage);
      const onOwn = all.map((prediction) => onFrame(prediction, scale));
      const doubts = known.doubts(all);
      notes.add(all, doubts);
      await parts.add(onOwn, doubts.length, await asked.shownPaths(unit));
    }
  } catch (error) {
    if (!(error instanceof NoUsablePhotos)) throw error;
    await parts.tellProblems(problems);
    await place.giveBack();
    throw await noneUsable(asked.count, problems, null);
  }
  let copies = 0;
  let firstCopy: readonly [string, string] | undefined;
  for await (const { copy, of } of copiesIn(job, marks.repeated())) {
    copies++;
    firstCopy ??= [copy.imageId, of];
    parts.leaveOut(onFrame(copy, scale));
  }
  const copiesSaid = copiesLine(firstCopy, copies);
  for (const line of [copiesSaid, ...notes.lines()]) if (line !== null) progress.line?.(line);
  const summary = await parts.finish(problems);
  await clearAway(job);
  await place.giveBack();
  return summary;
}

/** What was measured beside photos, by their place. */
interface MeasuredBeside extends Pick<ReadSamples, 'refused' | 'remarks'> {
  of(item: number): Readings;
}

/**
 * What was measured beside the photos. Only where a table says it are all of them looked at together; what is said of all
 * alike is known from one.
 */
async function readingsOf(
  run: Run,
  asked: AskedElsewhere,
  { covariates, out }: PredictOnOptions,
): Promise<MeasuredBeside> {
  const read = async (samples: Samples): Promise<MeasuredBeside> => {
    const measured = await withAskedReadings(run, samples, covariates);
    const { facts } = measured.samples;
    return {
      refused: measured.refused,
      remarks: measured.remarks,
      of: (item) => facts[facts.length === 1 ? 0 : item]?.readings ?? {},
    };
  };
  if (run.covariates.length === 0) return read(NOBODY);
  if (covariates?.table === undefined && !(await asked.hasTablesBeside())) {
    const alike = await read(await asked.first());
    if (alike.refused.size === 0) return alike;
  }
  return read((await asked.whole(out)).samples);
}

/**
 * Photos that are the same file as an earlier one, whose id is told, found among what was answered.
 *
 * @param suspects marks of hashes
 */
async function* copiesIn(
  job: PlannedJob,
  suspects: ReadonlySet<number>,
): AsyncGenerator<{ readonly copy: PhotoPrediction; readonly of: string }> {
  if (suspects.size === 0) return;
  const firstWith = new Map<string, string>();
  for await (const { answer } of answersOf(job)) {
    const { predictions = [], hashes = [] } = answer;
    for (const [item, copy] of predictions.entries()) {
      const hash = hashes[item] ?? '';
      if (hash === '' || !suspects.has(markOf(hash))) continue;
      const of = firstWith.get(hash);
      if (of === undefined) firstWith.set(hash, copy.imageId);
      else yield { copy, of };
    }
  }
}

/** Samples of which nothing is asked. */
const NOBODY = new Samples([], {
  photos: null,
  features: () => {
    throw new RangeError('rows are read where they are predicted');
  },
});

/** Rows of feature files, read where they are predicted. */
interface AskedRows {
  readonly files: readonly string[];
  readonly ids: readonly string[];
  /** They, with their facts, and of their features no more than the columns. */
  readonly rows: Samples;
}

/** @throws InputError for files that cannot be read, or have other rows than there are ids */
async function rowsElsewhere(
  files: readonly string[],
  ids: readonly string[],
  idsPath: string,
): Promise<Samples> {
  const parts = [];
  for (const file of files) {
    const { rows } = await openedFeatures(file);
    requireRowPerId(file, rows.rows, idsPath, ids.length);
    const matrix = { rows: 0, columns: rows.columns, data: new Float64Array(0) };
    parts.push({ name: setNameOf(file), matrix, file });
  }
  return new Samples(ids.map(unknownSample), featureRows(joinFeatureSets(parts)));
}

/** What a unit is told beside a photo or a row. */
type Beside = Pick<UnitPhoto, 'readings' | 'state'>;

/** What is asked about, a unit at a time: photos that are listed on the disk, or rows of feature files by their ids. */
class AskedElsewhere implements AsyncDisposable {
  readonly #listed: DiskList<ListedPhoto> | null;
  readonly #features: AskedRows;
  readonly #size: number;
  #shown: { readonly unit: number; readonly paths: ShownPaths } | null = null;

  private constructor(listed: DiskList<ListedPhoto> | null, features: AskedRows, size: number) {
    this.#listed = listed;
    this.#features = features;
    this.#size = size;
  }

  static async of(
    { source, out, chunk = CHUNK_PHOTOS, progress = SILENT }: PredictOnOptions,
    cluster: Cluster,
  ): Promise<AskedElsewhere> {
    const size = requireChunk(chunk);
    if ('features' in source) {
      const files = source.features.map((file) => (isObjectLocation(file) ? file : resolve(file)));
      const ids = await readIds(source.ids);
      return new AskedElsewhere(
        null,
        { files, ids, rows: await rowsElsewhere(source.features, ids, source.ids) },
        size,
      );
    }
    const tell = (line: string): void => progress.line?.(line);
    const listed = await plannedPhotos(
      cluster.engine,
      () => listedPhotos(source, storeOf(cluster, out), tell),
      tell,
    );
    return new AskedElsewhere(listed, { files: [], ids: [], rows: NOBODY }, size);
  }

  /** The photos; null of features. */
  get listed(): DiskList<ListedPhoto> | null {
    return this.#listed;
  }

  get count(): number {
    return this.#listed?.count ?? this.#features.ids.length;
  }

  /** All of it as samples that are read elsewhere, and what results call their photos. */
  async whole(out: string): Promise<{ readonly samples: Samples; readonly shownPaths: ShownPaths }> {
    const shownPaths = new Map<string, string>();
    if (!this.#listed) {
      return { samples: this.#features.rows, shownPaths };
    }
    const photos: { readonly imageId: string; readonly path: string }[] = [];
    for await (const { imageId, path, shownPath } of this.#listed) {
      if (out.endsWith('.geojson') && isObjectLocation(path)) {
        throw new UsageError(
          `--out ${out}: positions are read of photos on a disk; end the name in .csv or .json`,
        );
      }
      photos.push({ imageId, path });
      shownPaths.set(path, shownPath);
    }
    return { samples: photoSamples(photos), shownPaths };
  }

  /** The first of it as a sample. */
  async first(): Promise<Samples> {
    const [photo] = (await this.#listed?.read(0, 1)) ?? [];
    return photo
      ? photoSamples([photo])
      : this.#features.rows.withFacts(this.#features.ids.slice(0, 1).map(unknownSample));
  }

  /** Whether a table of readings lies beside any of the photos. */
  async hasTablesBeside(): Promise<boolean> {
    const folders = new Set<string>();
    for await (const { path } of this.#listed ?? []) {
      const folder = dirname(path);
      if (folders.has(folder)) continue;
      folders.add(folder);
      if (tablesBeside([path]).length > 0) return true;
    }
    return false;
  }

  /** @throws UsageError as `requireOwnPictures` */
  async requireOwnPictures(options: Parameters<typeof requireOwnPictures>[1]): Promise<void> {
    if (!this.#listed || (options.maps ?? options.shownCrops) === undefined) return;
    for await (const { imageId } of this.#listed)
      await requireOwnPictures({ facts: [{ id: imageId }] }, options);
  }

  /** What results call the photos of a unit. */
  async shownPaths(unit: number): Promise<ShownPaths> {
    if (this.#shown?.unit !== unit) {
      const photos = (await this.#listed?.read(unit * this.#size, (unit + 1) * this.#size)) ?? [];
      this.#shown = { unit, paths: new Map(photos.map(({ path, shownPath }) => [path, shownPath])) };
    }
    return this.#shown.paths;
  }

  /** Its units, in order. @param besideOf what a unit is told beside a photo or a row */
  async *units(besideOf: (imageId: string, item: number) => Beside): AsyncGenerator<{
    readonly start: number;
    readonly count: number;
    readonly asked: PredictWork['asked'];
    /** Change when the photos' files do. */
    readonly stamps: readonly string[];
  }> {
    for (let start = 0; start < this.count; start += this.#size) {
      if (!this.#listed) {
        const { files, ids } = this.#features;
        const some = ids.slice(start, start + this.#size);
        const beside = some.map((id, row) => besideOf(id, start + row));
        const asked = {
          ...{ features: files, start, ids: some },
          ...(beside.some(({ readings }) => readings) && {
            readings: beside.map(({ readings = {} }) => readings),
          }),
          ...(beside.some(({ state }) => state !== undefined) && {
            states: beside.map(({ state = null }) => state),
          }),
        };
        yield { start, count: some.length, asked, stamps: some.map(() => '') };
        continue;
      }
      const some = await this.#listed.read(start, start + this.#size);
      const photos = some.map((photo, item) => ({
        ...unitPhoto(photo),
        ...besideOf(photo.imageId, start + item),
      }));
      yield { start, count: some.length, asked: { photos }, stamps: some.map(({ stamp }) => stamp) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listed?.close();
  }
}

/**
 * @param readingsAt what was measured beside a photo
 * @param requireOut as {@link planJob} takes it
 */
async function planned(
  run: Run,
  name: string,
  asked: AskedElsewhere,
  readingsAt: (item: number) => Readings,
  options: PredictOnOptions,
  cluster: Cluster,
  requireOut?: (job: string) => Promise<void>,
): Promise<PlannedJob> {
  const { out, tta = 'none', crop, states, dropoutSamples, maps, shownCrops, progress = SILENT } = options;
  const { areaSquareMetres = run.areaSquareMetres } = options;
  const isBundled = BUNDLED_RUNS.includes(name);
  const shared = {
    kind: 'predict',
    run: isBundled || isObjectLocation(name) ? name : resolve(name),
    fingerprint: run.fingerprint,
    tta,
    ...(crop !== undefined && { crop }),
    ...(maps !== undefined && {
      maps: { areaSquareMetres, scale: areaSquareMetres / run.areaSquareMetres },
    }),
    ...(shownCrops !== undefined && { crops: true as const }),
  } as const;
  const besideOf = (imageId: string, item: number): Beside => {
    const measured = Object.entries(readingsAt(item)).filter(([, value]) => Number.isFinite(value));
    return {
      ...(measured.length > 0 && { readings: Object.fromEntries(measured) }),
      ...(states && { state: states(imageId) }),
    };
  };
  const drafts = async function* (): AsyncGenerator<DraftUnit> {
    let first: CountsBySet = [];
    for await (const { start, count, asked: some, stamps } of asked.units(besideOf)) {
      const work: PredictWork = {
        ...shared,
        asked: some,
        ...(dropoutSamples !== undefined && { dropout: { samples: dropoutSamples, first } }),
      };
      if (dropoutSamples !== undefined) first = sumOfCounts(first, countsOf(some));
      yield { name: `photos ${start + 1} to ${start + count}`, key: unitKey([work, stamps]), work };
    }
  };
  return planJob('predict', 'Predicting', storeOf(cluster, out), drafts, {
    stage: async (jobs) =>
      isBundled || isObjectLocation(name) ? [] : stageFiles(jobs, await runFiles(name)),
    out,
    ...(requireOut && { requireOut, keepsFirst: true }),
    tell: (line) => progress.line?.(line),
    listed: asked.listed,
    gathers: cluster.engine.gathers,
  });
}

/** The work is written down, to be done by others. */
class PlannedAlone extends Error {}

/** What a unit has said of its photos. */
interface AnsweredUnit {
  readonly unit: number;
  readonly predictions: readonly PhotoPrediction[];
  /** SHA-256 of each one's photo; empty of features. */
  readonly hashes: readonly string[];
}

/** Has a job done. @returns whether it is, and not planned alone */
async function haveDone(job: PlannedJob, { engine }: Cluster, progress: Progress = SILENT): Promise<boolean> {
  await engine.run(job, progress);
  return !engine.plansAlone;
}

/** What came of a job, in the photos' order; pictures are written on the way. */
async function* answered(
  job: PlannedJob,
  { maps, shownCrops }: PredictOnOptions,
  problems: DiskList<PhotoProblem>,
  asked: number,
): AsyncGenerator<AnsweredUnit> {
  const folders: Readonly<Record<PictureKind, string | undefined>> = { maps, crops: shownCrops };
  let told = 0;
  for await (const { answer, pictures, unit } of answersOf(job)) {
    for (const problem of answer.problems) await problems.add(problem);
    await keepPictures(job, pictures, folders);
    const { predictions = [], hashes = [] } = answer;
    told += predictions.length;
    yield { unit, predictions, hashes };
  }
  if (told === 0) throw new NoUsablePhotos(asked);
}

async function keepPictures(
  { jobs }: PlannedJob,
  pictures: readonly Picture[],
  folders: Readonly<Record<PictureKind, string | undefined>>,
): Promise<void> {
  for (const { kind, name, file } of pictures) {
    const folder = folders[kind];
    if (folder !== undefined) await openStore(folder).put(name, await readResult(jobs, file));
  }
}
