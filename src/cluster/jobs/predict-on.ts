import { resolve } from 'node:path';
import { readIds } from '../../data/feature-tables.ts';
import { UsageError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { USUAL_COVERAGE } from '../../pasture/intervals/interval.ts';
import { BUNDLED_RUNS, STARTER } from '../../runs/bundled-runs.ts';
import { openRun } from '../../runs/open-run.ts';
import { onFrame, type PhotoPrediction } from '../../runs/prediction.ts';
import type { PredictOptions, Run } from '../../runs/run.ts';
import { runUncertainty } from '../../runs/uncertainty.ts';
import { NoUsablePhotos } from '../../samples/photo-reader.ts';
import { photoSamples, Samples, unknownSample } from '../../samples/samples.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { withAskedReadings } from '../../workflows/predict/asked-readings.ts';
import {
  type Asked,
  type PredictionOutcome,
  type PredictRunOptions,
  predictRun,
} from '../../workflows/predict/predict.ts';
import type { PhotoProblem } from '../units/answer.ts';
import { stageFiles } from '../units/inputs.ts';
import { type PredictWork, type UnitPhoto, unitKey } from '../units/spec.ts';
import { CHUNK_PHOTOS, chunksOf, requireChunk } from './chunks.ts';
import { type PartsSummary, PredictionParts, requireFreeParts } from './parts.ts';
import type { PartsFormat } from './parts-format.ts';
import { type ListedPhoto, listedPhotos, requireSeen } from './photos.ts';
import { type Cluster, type DraftUnit, type PlannedJob, planJob, storeOf } from './planned-job.ts';
import { problemPath, writeProblems } from './problem-table.ts';
import { answersOf, clearAway } from './results.ts';
import { runFiles } from './run-files.ts';

/** What is predicted on many machines, and how it is cut up. */
export interface PredictOnOptions extends Omit<PredictRunOptions, 'source' | 'run' | 'elsewhere'> {
  /** A run folder, or the name of a run that comes with sward; default the starter. */
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
  const { run = STARTER, out, progress = SILENT } = options;
  const asked = await askedOf(options, cluster, progress);
  const problems: PhotoProblem[] = [];
  let job: PlannedJob | undefined;
  const { chunk: _, ...rest } = options;
  try {
    const outcome = await predictRun({
      ...rest,
      run,
      source: asked,
      elsewhere: async function* (opened, samples, { tta = 'none', crop, states }) {
        const how = { tta, ...(crop !== undefined && { crop }), ...(states && { states }) };
        job = await planned(opened, run, samples, asked, how, options, cluster);
        yield* answered(job, cluster, progress, problems, samples.count);
      },
    });
    const problemsFile = await writeProblems(problemPath(out), problems);
    if (job) await clearAway(job);
    return { outcome, problems: problems.length, problemsFile };
  } catch (error) {
    if (error instanceof PlannedAlone) return null;
    if (error instanceof NoUsablePhotos) await writeProblems(problemPath(out), problems);
    throw error;
  }
}

/**
 * Predicts into parts of many photos each, in a folder or below a prefix of a store of objects, with a summary: memory
 * does not grow with what is said of photos.
 *
 * @returns null where the work is planned alone
 * @throws as {@link predictOn}
 */
export async function predictInParts(
  options: PredictOnOptions & { readonly format: PartsFormat; readonly photosPerPart?: number },
  cluster: Cluster,
): Promise<PartsSummary | null> {
  const { run: name = STARTER, out, format, progress = SILENT, photosPerPart } = options;
  await requireFreeParts(out);
  const asked = await askedOf(options, cluster, progress);
  await using run = await openRun(name, { keepLoaded: false });
  const { samples, refused, remarks } = await withAskedReadings(run, asked.samples, options.covariates);
  for (const remark of remarks) progress.line?.(remark);
  const { tta = 'none', crop, states } = options;
  const how = { tta, ...(crop !== undefined && { crop }), ...(states && { states }) };
  const job = await planned(run, name, samples, asked, how, options, cluster);
  const known = runUncertainty(await run.calibration());
  const coverage = options.coverage ?? (run.about ? USUAL_COVERAGE : undefined);
  const { areaSquareMetres = run.areaSquareMetres } = options;
  const problems: PhotoProblem[] = [];
  const parts = new PredictionParts(out, format, {
    run: name,
    areaSquareMetres,
    ...(coverage !== undefined && { coverage }),
    ...(photosPerPart !== undefined && { photosPerPart }),
    uncertainty: options.uncertainty ?? run.about !== null,
    shownPaths: asked.shownPaths,
  });
  try {
    for await (const some of answered(job, cluster, progress, problems, samples.count)) {
      const told = some.map((prediction) => {
        const why = refused.get(prediction.imageId);
        return why === undefined ? prediction : { ...prediction, refused: why };
      });
      const all = coverage === undefined ? told : known.withIntervals(told, coverage);
      const onOwn = all.map((prediction) => onFrame(prediction, areaSquareMetres / run.areaSquareMetres));
      await parts.add(onOwn, known.doubts(all).length);
    }
  } catch (error) {
    if (error instanceof PlannedAlone) return null;
    throw error;
  }
  const summary = await parts.finish(problems);
  await clearAway(job);
  return summary;
}

/** What is asked, as samples that are read elsewhere. */
interface AskedElsewhere extends Asked {
  readonly listed: readonly ListedPhoto[] | null;
}

async function askedOf(
  { source, maps, shownCrops, dropoutSamples, out }: PredictOnOptions,
  cluster: Cluster,
  progress: Progress,
): Promise<AskedElsewhere> {
  const alone = [
    [maps, '--map'],
    [shownCrops, '--show-crop'],
    [dropoutSamples, '--mc-dropout'],
  ].find(([value]) => value !== undefined);
  if (alone) throw new UsageError(`${alone[1]} is for one machine; leave out --on`);
  if (!('features' in source)) {
    const listed = await listedPhotos(source, (line) => progress.line?.(line));
    requireSeen(listed, storeOf(cluster, out));
    if (out.endsWith('.geojson') && listed.some(({ path }) => isObjectLocation(path))) {
      throw new UsageError(
        `--out ${out}: positions are read of photos on a disk; end the name in .csv or .json`,
      );
    }
    return {
      samples: photoSamples(listed),
      shownPaths: new Map(listed.map(({ path, shownPath }) => [path, shownPath])),
      listed,
    };
  }
  const ids = await readIds(source.ids);
  const samples = new Samples(ids.map(unknownSample), {
    photos: null,
    features: () => {
      throw new RangeError('rows are read where they are predicted');
    },
  });
  return { samples, shownPaths: new Map(), listed: null };
}

/** How photos are to be asked about. */
type How = Pick<PredictOptions, 'crop' | 'states'> & { readonly tta: PredictWork['tta'] };

function planned(
  run: Run,
  name: string,
  samples: Samples,
  { listed }: AskedElsewhere,
  { states, ...how }: How,
  { source, out, chunk = CHUNK_PHOTOS }: PredictOnOptions,
  cluster: Cluster,
): Promise<PlannedJob> {
  const size = requireChunk(chunk);
  const isBundled = BUNDLED_RUNS.includes(name);
  const shared = {
    kind: 'predict',
    run: isBundled ? name : resolve(name),
    fingerprint: run.fingerprint,
    ...how,
  } as const;
  const photoOf = (item: number): UnitPhoto => {
    const { id = '', readings = {} } = samples.facts[item] ?? {};
    const { path = '', version } = listed?.[item] ?? {};
    const known = Object.entries(readings).filter(([, value]) => value !== null && value !== undefined);
    return {
      imageId: id,
      path,
      ...(version !== undefined && { version }),
      ...(known.length > 0 && { readings: Object.fromEntries(known) as Record<string, number> }),
      ...(states && { state: states(id) }),
    };
  };
  const items = samples.facts.map((_, item) => item);
  const drafts = function* (): Generator<DraftUnit> {
    for (const { start, items: some } of chunksOf(items, size)) {
      const asked =
        'features' in source
          ? {
              features: source.features.map((file) => (isObjectLocation(file) ? file : resolve(file))),
              start,
              ids: some.map((item) => samples.facts[item]?.id ?? ''),
            }
          : { photos: some.map(photoOf) };
      const stamps = some.map((item) => listed?.[item]?.stamp ?? '');
      const work: PredictWork = { ...shared, asked };
      yield { name: `photos ${start + 1} to ${start + some.length}`, key: unitKey([work, stamps]), work };
    }
  };
  return planJob('predict', 'Predicting', storeOf(cluster, out), drafts, async (jobs) =>
    isBundled ? [] : stageFiles(jobs, await runFiles(name)),
  );
}

/** The work is written down, to be done by others. */
class PlannedAlone extends Error {}

/** Has a job done, and gives what came of it in the photos' order. */
async function* answered(
  job: PlannedJob,
  { engine }: Cluster,
  progress: Progress,
  problems: PhotoProblem[],
  asked: number,
): AsyncGenerator<readonly PhotoPrediction[]> {
  await engine.run(job, progress);
  if (engine.plansAlone) throw new PlannedAlone();
  let told = 0;
  for await (const { answer } of answersOf(job)) {
    problems.push(...answer.problems);
    told += answer.predictions?.length ?? 0;
    yield answer.predictions ?? [];
  }
  if (told === 0) throw new NoUsablePhotos(asked);
}
