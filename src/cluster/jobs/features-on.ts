import { rm } from 'node:fs/promises';
import { readNpy, writeNpyParts } from '../../formats/npy/npy.ts';
import { withTemporaryName } from '../../ground/files.ts';
import { SILENT } from '../../ground/progress.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { featurePlan } from '../../vision/features/index.ts';
import { resolveWeights, weightFilesOf } from '../../vision/weights/index.ts';
import {
  type FeatureFilesOptions,
  featurePhotos,
  requireIdList,
  writeIds,
} from '../../workflows/data/features.ts';
import { requireOwnOutput } from '../../workflows/outputs/own-outputs.ts';
import type { PhotoProblem } from '../units/answer.ts';
import { fetchedBackbone } from '../units/inputs.ts';
import { type FeaturesWork, unitKey } from '../units/spec.ts';
import { stageFiles } from '../units/staged.ts';
import { CHUNK_PHOTOS, requireChunk } from './chunks.ts';
import { DiskList } from './disk-list.ts';
import { plannedPhotos } from './kept-list.ts';
import { type ListedPhoto, listedPhotos, listOf, unitPhoto } from './photos.ts';
import { type Cluster, type DraftUnit, planJob, storeOf } from './planned-job.ts';
import { noneUsable, problemPath, writeProblems } from './problem-table.ts';
import { answersOf, clearAway, fetchResult } from './results.ts';

/** Whose features are made on many machines, and how the work is cut up. */
export interface FeaturesOnOptions extends FeatureFilesOptions {
  /** Photos of one unit; a multiple of 16. */
  readonly chunk?: number;
}

/** What was written. */
export interface FeaturesOn {
  readonly photos: number;
  readonly width: number;
  readonly problems: number;
  /** The table of photos that could not be used and have no row; null where all could. */
  readonly problemsFile: string | null;
}

/**
 * Writes features as `writeFeatureFiles` does, to the same files, with chunks of photos computed elsewhere. A photo that
 * cannot be used has no row, and is told of in a table beside the features.
 *
 * @returns null where the work is planned alone
 * @throws as `writeFeatureFiles`, and SwardError naming units that failed
 */
export async function featuresOn(options: FeaturesOnOptions, cluster: Cluster): Promise<FeaturesOn | null> {
  const { backbone, plan = {}, crop = null, out, ids, chunk = CHUNK_PHOTOS, progress = SILENT } = options;
  const location = storeOf(cluster, out);
  const size = requireChunk(chunk);
  const tell = (line: string): void => progress.line?.(line);
  await using photos = await photosOf(options, cluster, tell);

  await using problems = await DiskList.open<PhotoProblem>();
  const { sha256, source } = await resolveWeights(await fetchedBackbone(backbone));
  const isFile = source.startsWith('file ') && !isObjectLocation(backbone);
  const shared = {
    kind: 'features',
    backbone,
    weights: sha256,
    plan: featurePlan(plan) as Record<string, unknown>,
    crop,
  } as const;
  const drafts = async function* (): AsyncGenerator<DraftUnit> {
    for (let start = 0; start < photos.count; start += size) {
      const items = await photos.read(start, start + size);
      const work: FeaturesWork = {
        ...shared,
        photos: items.map(unitPhoto),
      };
      const key = unitKey([work, items.map(({ stamp }) => stamp)]);
      yield { name: `photos ${start + 1} to ${start + items.length}`, key, work };
    }
  };
  const job = await planJob('features', 'Extracting features', location, drafts, {
    stage: async (jobs) => (isFile ? stageFiles(jobs, await weightFilesOf(backbone)) : []),
    tell,
    out,
    listed: photos,
    gathers: cluster.engine.gathers,
  });
  await cluster.engine.run(job, progress);
  if (cluster.engine.plansAlone) return null;
  const kept: string[] = [];
  let width = 0;
  for await (const { answer } of answersOf(job)) {
    kept.push(...(answer.ids ?? []));
    for (const problem of answer.problems) await problems.add(problem);
    if (answer.columns !== undefined) width = answer.columns;
  }
  const problemsFile = await writeProblems(problemPath(out), problems);
  if (kept.length === 0) throw await noneUsable(photos.count, problems, problemsFile);
  const parts = async function* (): AsyncGenerator<Float32Array> {
    for await (const { features } of answersOf(job)) {
      if (!features) continue;
      const { data } = await withTemporaryName(out, async (aside) => {
        try {
          await fetchResult(job.jobs, features, aside);
          return await readNpy(aside);
        } finally {
          await rm(aside, { force: true });
        }
      });
      if (data instanceof Float32Array) yield data;
    }
  };
  await writeNpyParts(out, kept.length, width, parts());
  await writeIds(ids, kept);
  await clearAway(job);
  return { photos: kept.length, width, problems: problems.count, problemsFile };
}

/** Photos of a data folder, or what else of photos is named. */
async function photosOf(
  options: FeaturesOnOptions,
  cluster: Cluster,
  tell: (line: string) => void,
): Promise<DiskList<ListedPhoto>> {
  const { data, out, ids, overwrite = false } = options;
  const store = storeOf(cluster, out);
  const isListed = isObjectLocation(data) || data.endsWith('.csv');
  if (isListed || cluster.engine.gathers) await requireOwnOutput('--out', out, 'features', overwrite);
  // A data folder says itself what its photos are called.
  const list = async () =>
    isListed ? listedPhotos([data], store, tell) : listOf(await featurePhotos(options), store);
  const photos = await plannedPhotos(cluster.engine, list, tell);
  if (isListed || overwrite || !cluster.engine.gathers) return photos;
  try {
    await requireIdList(ids, await photos.read(0, photos.count));
    return photos;
  } catch (error) {
    await photos.close();
    throw error;
  }
}
