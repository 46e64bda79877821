import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTest, readTraining } from '../../data/folder.ts';
import { writeNpyFloat32 } from '../../formats/npy/npy.ts';
import { InputError, type SwardError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { readText } from '../../ground/whole-file.ts';
import { extractFeatures, featurePlan } from '../../vision/features/index.ts';
import { type Crop, framedPhotos, framesLine, framingOf } from '../../vision/framing/index.ts';
import type { PhotoMatrix } from '../../vision/photo-vectors.ts';
import { findPhotos, type Photo, type PhotoFile } from '../../vision/photos/index.ts';
import { resolveWeights } from '../../vision/weights/index.ts';
import { notOurs, requireOwnOutput } from '../outputs/own-outputs.ts';

/** Photos of a data folder whose features are wanted. */
type FeatureSplit = 'train' | 'test';

/** What is taken of each photo, as far as it differs from the usual; the same names as a recipe's `input`. */
export type FeaturePlanSettings = Parameters<typeof featurePlan>[0];

/** Whose features are written, how they are made, and where to. */
export interface FeatureFilesOptions {
  /** A data folder, or a folder of photos, or one photo. */
  readonly data: string;
  /** Catalogue name, hub repository or file of the backbone. */
  readonly backbone: string;
  /** Default: both halves, pooled as the weights' own head pools. */
  readonly plan?: FeaturePlanSettings;
  /** `.npy` to write. */
  readonly out: string;
  /** List of photo ids to write, one a row. */
  readonly ids: string;
  /** Which photos of a data folder; default train. */
  readonly split?: FeatureSplit;
  /** What of photos counts; default all. */
  readonly crop?: Crop | null;
  /** Whether files may be replaced that sward did not write; default not. */
  readonly overwrite?: boolean;
  readonly progress?: Progress;
}

/** What was written: how many photos, features of each, and for how many they were not remembered. */
export interface FeatureFilesOutcome {
  readonly photos: number;
  readonly width: number;
  readonly computed: number;
  /** What is told of photos in which no frame was found; null where none was looked for, or all have one. */
  readonly framesLine: string | null;
}

/**
 * Writes features of photos as float32 `.npy` [photos, width] and the list of their ids.
 *
 * @throws InputError for data, photos or weights that cannot be used
 * @throws UsageError when plan and backbone do not suit each other
 */
export async function writeFeatureFiles(options: FeatureFilesOptions): Promise<FeatureFilesOutcome> {
  const { crop = null } = options;
  const photos = await featurePhotos(options);
  const { features, framings } = await photoFeatures(photos, options);
  await writeNpyFloat32(options.out, features);
  await writeIds(
    options.ids,
    photos.map(({ imageId }) => imageId),
  );
  return {
    photos: features.rows,
    width: features.columns,
    computed: features.computed,
    framesLine: crop && framesLine(framings),
  };
}

/**
 * The photos whose features are asked for, where these may be written.
 *
 * @throws InputError and UsageError as {@link writeFeatureFiles}
 */
export async function featurePhotos({
  data,
  out,
  ids,
  overwrite = false,
  split = 'train',
  progress = SILENT,
}: FeatureFilesOptions): Promise<readonly PhotoFile[]> {
  await requireOwnOutput('--out', out, 'features', overwrite);
  const photos = await photosOf(data, split, progress);
  requireListable(photos);
  if (!overwrite) await requireIdList(ids, photos);
  return photos;
}

/** Features of photos, and what of each counted. */
export interface PhotoFeatureRows {
  readonly features: PhotoMatrix;
  readonly framings: Parameters<typeof framesLine>[0];
}

/**
 * Features of photos, a row each.
 *
 * @param onError told of each photo that cannot be used, whose row is then NaN; default: the first is an error
 * @throws as {@link writeFeatureFiles}
 */
export async function photoFeatures(
  photos: readonly PhotoFile[],
  { backbone, plan = {}, crop = null, progress = SILENT }: Omit<FeatureFilesOptions, 'data' | 'out' | 'ids'>,
  onError?: (photo: Photo, error: SwardError) => void,
): Promise<PhotoFeatureRows> {
  const completePlan = featurePlan(plan);
  const weights = await resolveWeights(backbone);
  const paths = photos.map(({ path }) => path);
  const framed = await framedPhotos(paths, crop, { progress });
  const features = await extractFeatures(framed, weights, completePlan, {
    progress,
    ...(onError && { onError }),
  });
  const framings = photos.map(({ imageId }, item) => ({
    name: imageId,
    framing: framingOf(framed[item] as Photo),
  }));
  return { features, framings };
}

/** Writes the list of ids that stands beside features. @throws InputError when the disk refuses */
export const writeIds = (path: string, ids: readonly string[]): Promise<void> =>
  writeFileAtomically(path, ids.map((id) => `${id}\n`).join(''));

/** @throws InputError for an id that would not be the same read back from a list of one id a row */
function requireListable(photos: readonly PhotoFile[]): void {
  const bad = photos.find(({ imageId }) => /[\r\n]/.test(imageId) || imageId !== imageId.trim());
  if (!bad) return;
  const what = 'its name has a line break, or a blank at an end, which a list of ids cannot hold';
  throw new InputError(bad.path, what, 'rename the photo');
}

/** A list of ids looks like any text; one of other photos altogether is somebody's own. @throws UsageError naming it */
export async function requireIdList(
  path: string,
  photos: readonly Pick<PhotoFile, 'imageId'>[],
): Promise<void> {
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile() || facts.size === 0) return;
  const [first] = (await readText(path)).split('\n', 1);
  if (!photos.some(({ imageId }) => imageId === first)) throw notOurs('--ids', path);
}

async function photosOf(
  data: string,
  split: FeatureSplit,
  progress: Progress,
): Promise<readonly PhotoFile[]> {
  if (!existsSync(join(data, `${split}.csv`))) return findPhotos([data], (line) => progress.line?.(line));
  return split === 'train' ? readTraining(data) : (await readTest(data)).photos;
}
