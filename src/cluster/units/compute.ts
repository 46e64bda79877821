import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { openNpyRows, writeNpyFloat32 } from '../../formats/npy/npy.ts';
import { messageOf, SwardError } from '../../ground/errors.ts';
import { makeFolder, writeFileAtomically } from '../../ground/files.ts';
import { joinFeatureSets, takeRows } from '../../ground/matrix.ts';
import type { Progress } from '../../ground/progress.ts';
import { parseStoredRecipe } from '../../recipes/recipe.ts';
import { BUNDLED_RUNS } from '../../runs/bundled-runs.ts';
import { openRun } from '../../runs/open-run.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { PhotoStates, Run } from '../../runs/run.ts';
import { checkpointFolder, foldFolder } from '../../runs/run-folder.ts';
import { movedSource } from '../../runs/training-data.ts';
import { NoUsablePhotos } from '../../samples/photo-reader.ts';
import { featureRows, photoSamples, Samples, unknownSample } from '../../samples/samples.ts';
import { isObjectLocation, storedObject } from '../../storage/index.ts';
import { photoHash, photoName } from '../../vision/photos/index.ts';
import { resolveWeights } from '../../vision/weights/index.ts';
import { photoFeatures } from '../../workflows/data/features.ts';
import { writePhotoMaps } from '../../workflows/predict/biomass-maps.ts';
import { writeCrops } from '../../workflows/predict/crops.ts';
import { predictedParts } from '../../workflows/predict/predict.ts';
import { trainUnit } from '../../workflows/train/training-unit.ts';
import { ANSWER, type ChunkAnswer, FEATURES, type PhotoProblem, PICTURES, STATE } from './answer.ts';
import { fetchedBackbone, fetchedPhotos, type LocalPhoto } from './inputs.ts';
import { requireSeen } from './out-of-reach.ts';
import {
  exactJson,
  type FeaturesWork,
  type PredictWork,
  type TrainWork,
  type UnitPhoto,
  type UnitSpec,
} from './spec.ts';
import { StagedFiles } from './staged.ts';

/** Runs that stay open from unit to unit, by what they were when they were opened. */
export class OpenRuns {
  #open: { readonly key: string; readonly run: Run } | null = null;

  async get(nameOrFolder: string, fingerprint: string): Promise<Run> {
    const key = `${nameOrFolder} ${fingerprint}`;
    if (this.#open?.key === key) return this.#open.run;
    await this.#open?.run.dispose();
    this.#open = null;
    const run = await openRun(nameOrFolder, { keepLoaded: 'inputs' });
    if (run.fingerprint !== fingerprint) {
      await run.dispose();
      throw new SwardError(
        `${nameOrFolder} is another run here than where the work was planned; copy that one`,
      );
    }
    this.#open = { key, run };
    return run;
  }
}

/**
 * Computes a unit in this process.
 *
 * @param scratch a folder of this unit's own; what an earlier attempt has left there is gone on from
 * @returns the files that are its result, as paths in `scratch`
 * @throws SwardError where it cannot be done, for whatever reason but photos
 */
export async function compute(
  spec: UnitSpec,
  scratch: string,
  runs: OpenRuns,
  progress: Progress,
): Promise<string[]> {
  await makeFolder(scratch);
  const { work } = spec;
  await using staged = await StagedFiles.open(spec, scratch);
  const moved: Moved = (path) => staged.place(path);
  if (work.kind === 'train') return await computeTraining(spec, work, moved, scratch, progress);
  const answer =
    work.kind === 'predict'
      ? await computePredictions(work, moved, scratch, runs)
      : await computeFeatures(work, scratch);
  await writeFileAtomically(join(scratch, ANSWER), exactJson(answer));
  const pictures = [];
  for (const kind of PICTURES) pictures.push(...(await filesBelow(scratch, join(scratch, kind))));
  return [ANSWER, ...(answer.columns === undefined ? [] : [FEATURES]), ...pictures];
}

/** Files in a folder and below, as paths from another; none where the folder is not there. */
async function filesBelow(root: string, folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}

/** A bucket is given what the planning machine has. */
const MEET_THERE = 'let machines meet at a bucket, --store s3://…';

/** Where a file lies here that the planning machine knows by its own path. */
type Moved = (path: string) => string;

async function computeTraining(
  spec: UnitSpec,
  { source, areaSquareMetres, recipe, plan, fingerprint, part }: TrainWork,
  moved: Moved,
  scratch: string,
  progress: Progress,
): Promise<string[]> {
  const seen: Moved = (path) => requireSeen(moved(path), 'which the training reads', MEET_THERE);
  const { orFewer, ...rest } = plan;
  const shared = {
    source: { ...movedSource(source, seen), ...(areaSquareMetres !== undefined && { areaSquareMetres }) },
    recipe: parseStoredRecipe(spec.name, recipe),
    plan: {
      ...rest,
      ...(orFewer !== undefined && { orFewer }),
      folds: typeof plan.folds === 'string' ? seen(plan.folds) : plan.folds,
    },
  };
  const answers = await trainUnit(shared, part, fingerprint, scratch, progress);
  if ('state' in part) {
    await writeFileAtomically(join(scratch, STATE), exactJson(answers));
    return [STATE];
  }
  const made = part.member === null ? foldFolder(scratch, part.fold) : checkpointFolder(scratch, part.fold);
  return filesBelow(scratch, made);
}

/** What becomes of photos' errors: rows, each with its photo. */
class Problems {
  readonly #photos: Map<string, LocalPhoto>;
  readonly rows: PhotoProblem[] = [];

  constructor(photos: readonly LocalPhoto[]) {
    this.#photos = new Map(photos.map((photo) => [photo.path, photo]));
  }

  add(path: string, error: unknown): void {
    const photo = this.#photos.get(path);
    // What a person is told names the photo as they know it, not the copy that was read.
    const problem = messageOf(error).replace(`${path}: `, '');
    this.rows.push({ imageId: photo?.imageId ?? path, photo: photo?.origin ?? path, problem });
  }
}

async function computePredictions(
  { run: name, fingerprint, asked, tta, crop, dropout, maps, crops }: PredictWork,
  moved: Moved,
  scratch: string,
  runs: OpenRuns,
): Promise<ChunkAnswer> {
  const isNamed = isObjectLocation(name) || BUNDLED_RUNS.includes(name);
  const here = isNamed ? name : requireSeen(moved(name), 'the run', MEET_THERE);
  const run = await runs.get(here, fingerprint);
  const options = {
    tta,
    ...(crop !== undefined && { crop }),
    ...(dropout && { dropoutSamples: dropout.samples, dropoutFirst: dropout.first }),
  };
  const predictions: PhotoPrediction[] = [];
  if (!('photos' in asked)) {
    const parts = [];
    for (const file of asked.features) {
      const { rows } = await openedFeatures(requireSeen(file, 'rows to predict', 'put it into a bucket'));
      const matrix = await rows.read(asked.start, asked.start + asked.ids.length);
      parts.push({ name: setNameOf(file), matrix, file });
    }
    const { ids, readings, states: known } = asked;
    const rows = new Samples(ids.map(unknownSample), featureRows(joinFeatureSets(parts)));
    const samples = readings ? rows.measuring(readings) : rows;
    const states = known && statesOf(ids.map((imageId, row) => ({ imageId, state: known[row] ?? null })));
    for await (const part of predictedParts(run, samples, { ...options, ...(states && { states }) })) {
      predictions.push(...part);
    }
    return { predictions: predictions.map(plain), problems: [] };
  }
  const { photos, missing } = await fetchedPhotos(asked.photos, scratch);
  const problems = new Problems(photos);
  problems.rows.push(...missing);
  const states = statesOf(photos);
  const origins = new Map(photos.map(({ path, origin }) => [path, origin]));
  if (photos.length > 0) {
    const samples = photoSamples(photos).measuring(photos.map(({ readings }) => readings ?? {}));
    try {
      const parts = predictedParts(run, samples, {
        ...options,
        ...(states && { states }),
        onUnusable: (error) => problems.add(pathOf(error, photos), error),
      });
      for await (const part of parts) predictions.push(...part);
    } catch (error) {
      if (!(error instanceof NoUsablePhotos)) throw error;
    }
    const told = new Set(predictions.map(({ imageId }) => imageId));
    const drawn = samples.take(samples.facts.flatMap(({ id }, item) => (told.has(id) ? [item] : [])));
    const own = crop === undefined ? run.crop : crop;
    if (maps) await writePhotoMaps(run, drawn, join(scratch, 'maps'), { ...maps, crop: own });
    if (crops) await writeCrops(drawn, own, join(scratch, 'crops'));
  }
  const hashes: string[] = [];
  for (const { path } of predictions) hashes.push(path === null ? '' : await photoHash(path));
  return {
    hashes,
    predictions: predictions.map((prediction) => ({
      ...plain(prediction),
      path: prediction.path === null ? null : (origins.get(prediction.path) ?? prediction.path),
    })),
    problems: problems.rows,
  };
}

/** The States of photos; undefined where the work says nothing of them. */
function statesOf(photos: readonly Pick<UnitPhoto, 'imageId' | 'state'>[]): PhotoStates | undefined {
  const states = new Map(
    photos.flatMap(({ imageId, state }) => (state === undefined ? [] : [[imageId, state]])),
  );
  return states.size > 0 ? (imageId) => states.get(imageId) ?? null : undefined;
}

/** What is kept of a prediction: intervals are reckoned where all are gathered. */
const plain = (prediction: PhotoPrediction): PhotoPrediction => ({ ...prediction, intervals: null });

/** The photo that an error names at its beginning. */
function pathOf(error: SwardError, photos: readonly LocalPhoto[]): string {
  return photos.find(({ path }) => error.message.startsWith(`${path}:`))?.path ?? error.message;
}

async function computeFeatures(
  { backbone, plan, crop, photos: wanted, weights }: FeaturesWork,
  scratch: string,
): Promise<ChunkAnswer> {
  const { photos, missing } = await fetchedPhotos(wanted, scratch);
  const problems = new Problems(photos);
  problems.rows.push(...missing);
  const failed = new Set<string>();
  const here = await fetchedBackbone(backbone, weights);
  if ((await resolveWeights(here)).sha256 !== weights) {
    throw new SwardError(
      `${backbone} is another file here than where the work was planned; copy that one, or pull it again`,
    );
  }
  const { features } = await photoFeatures(photos, { backbone: here, plan, crop }, (photo, error) => {
    failed.add(photoName(photo));
    problems.add(photoName(photo), error);
  });
  const kept = photos.flatMap(({ path }, row) => (failed.has(path) ? [] : [row]));
  await writeNpyFloat32(join(scratch, FEATURES), takeRows(features, kept));
  return {
    ids: kept.map((row) => photos[row]?.imageId ?? ''),
    columns: features.columns,
    problems: problems.rows,
  };
}

/** A feature file, of which rows are read where they lie. */
export async function openedFeatures(location: string): Promise<{
  readonly rows: Awaited<ReturnType<typeof openNpyRows>>;
}> {
  const { store, key } = storedObject(location.includes('://') ? location : resolve(location));
  const facts = await store.facts(key);
  if (!facts) throw new SwardError(`${location}: there is no such file; check its name`);
  const { version, byteLength } = facts;
  return {
    rows: await openNpyRows({
      name: location,
      byteLength,
      async read(start, end) {
        const bytes = await store.read(key, { range: { start, end }, version });
        if (bytes) return bytes;
        throw new SwardError(`${location} has changed while it was read; start again`);
      },
    }),
  };
}

/** What a feature set is called, by its file. */
export const setNameOf = (file: string): string => (file.split('/').at(-1) ?? file).replace(/\.[^.]*$/, '');
