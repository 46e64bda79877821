import { mean } from '../ground/statistics.ts';
import { join, resolve } from 'node:path';
import { readCsv, rowName } from '../formats/csv.ts';
import { InputError, type SwardError, UsageError } from '../ground/errors.ts';
import { stackedCombination, weightedCombination } from '../estimators/combination/combination.ts';
import { type FittedPipeline, pipelineStages } from '../estimators/combination/pipeline.ts';
import { readStack } from '../estimators/combination/stacking.ts';
import type { Targets } from '../pasture/targets.ts';
import { ensembleDropoutSpreads, type MemberAnswer } from './ensemble-dropout.ts';
import { type EnsembleManifest, readEnsembleManifest, STACK_FOLDER } from './ensemble-manifest.ts';
import { hasDropout } from './fold-models.ts';
import type { PhotoPrediction } from './photo-prediction.ts';
import { readCompleteManifest } from './run-folder.ts';

/** The State a photo was taken in, where it is known. */
export type PhotoStates = (imageId: string) => string | null;

/** What an ensemble may be asked for beyond what its members are asked. */
interface EnsembleExtras {
  readonly states?: PhotoStates;
  readonly dropoutSamples?: number;
}

/** A member's folder, and the feature files it was trained on where it was. */
interface MemberRun {
  readonly run: string;
  readonly features: readonly string[] | null;
}

/**
 * Predicts with an ensemble: every member predicts the photos, then the weights and the post-processing that were
 * fitted to all out-of-fold rows make one answer of them. `folds` of a photo holds what the members' models of each
 * fold make together; where members have different numbers of folds, the answer itself.
 *
 * @param predictMember predicts the same photos with one member, whose folder and place are given
 * @throws InputError when a member has changed since the ensemble was made
 * @throws UsageError when a step needs the photos' States and none are given, or States are given that nothing needs,
 *   or dropout is to be left on and no member has any
 */
export async function predictEnsemble(
  run: string,
  predictMember: (run: string, member: number) => Promise<PhotoPrediction[]>,
  { states, dropoutSamples }: EnsembleExtras = {},
): Promise<PhotoPrediction[]> {
  const manifest = await readEnsembleManifest(run);
  requireStates(run, manifest, states);
  const pipeline = await readPipeline(run, manifest);
  const members = await memberRuns(run, manifest);
  if (dropoutSamples) await requireDropout(members);
  const byMember: PhotoPrediction[][] = [];
  for (const [index, member] of members.entries()) byMember.push(await predictMember(member.run, index));
  const photos = (byMember[0] ?? []).filter(({ imageId }) =>
    byMember.every((predictions) => predictions.some((other) => other.imageId === imageId)),
  );
  const aligned = byMember.map((predictions) => {
    const byId = new Map(predictions.map((prediction) => [prediction.imageId, prediction]));
    return photos.map(({ imageId }) => byId.get(imageId) as PhotoPrediction);
  });
  const photoStates = photos.map(({ imageId }) => states?.(imageId) ?? null);
  const answer: MemberAnswer = async (pick) => {
    const masses = aligned.map((predictions) => predictions.map(pick));
    return (await pipelineStages(pipeline, masses, photoStates)).at(-1) ?? [];
  };
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
  return photos.map(({ imageId, path }, photo) => ({
    imageId,
    path,
    targets: targets[photo] as Targets,
    folds: folds.map((answers) => answers[photo] as Targets),
    dropoutSpread: spreads?.[photo] ?? null,
    intervals: null,
    outOfDomain: meanKnown(aligned.flatMap((predictions) => predictions[photo]?.outOfDomain ?? [])),
  }));
}

/** @throws UsageError when States are given for a run that was trained, which has no rule that needs them */
export function refuseStates(run: string, { states }: EnsembleExtras): void {
  if (states) throw new UsageError(`--state: ${run} applies no rule that needs the State`);
}

/** Passes on each failure once, though every member meets it. */
export function toldOnce(
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

/**
 * Which feature files each member of an ensemble is to predict from.
 *
 * @param features one file for each feature file that members were trained on, in the order in which the members
 *   first name them
 * @returns files of each member, by its folder
 * @throws UsageError when there are too few or too many files, or members were trained on photos
 */
export async function memberFeatures(
  run: string,
  features: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const members = await memberRuns(run, await readEnsembleManifest(run));
  const trainedOn = [...new Set(members.flatMap((member) => member.features ?? []))];
  if (members.some((member) => member.features === null)) {
    throw new UsageError(`${run} was trained on photos; give photos instead of --features`);
  }
  if (trainedOn.length !== features.length) {
    throw new UsageError(
      `${run} needs ${trainedOn.length} feature files, not ${features.length}: --features ` +
        `for ${trainedOn.join(', ')}, in this order with commas between`,
    );
  }
  const fileFor = (trained: string): string => features[trainedOn.indexOf(trained)] ?? '';
  return new Map(members.map((member) => [member.run, (member.features ?? []).map(fileFor)]));
}

/**
 * Reads `--state`: the State of all photos (`WA`), or a CSV with the columns `image_id,State`.
 *
 * @throws InputError when the CSV cannot be read or names a photo twice
 */
export async function readPhotoStates(text: string): Promise<PhotoStates> {
  if (!text.toLowerCase().endsWith('.csv')) return () => text;
  const states = new Map<string, string>();
  for (const { line, cells } of (await readCsv(text, ['image_id', 'State'])).rows) {
    const id = cells.image_id ?? '';
    if (states.has(id))
      throw new InputError(rowName(text, line), `names ${id} a second time`, 'keep one row');
    if (cells.State) states.set(id, cells.State);
  }
  return (imageId) => states.get(imageId) ?? null;
}

async function requireDropout(members: readonly MemberRun[]): Promise<void> {
  for (const { run } of members) if (await hasDropout(run)) return;
  throw new UsageError('--mc-dropout: every member of the run has a recipe without dropout');
}

function requireStates(run: string, { post }: EnsembleManifest, states: PhotoStates | undefined): void {
  const needed = post.some((step) => step.kind === 'wa-dead');
  if (needed && !states) {
    throw new UsageError(`${run} applies wa-dead, which needs the photos' States; give --state WA or a CSV`);
  }
  if (!needed && states) refuseStates(run, { states });
}

async function readPipeline(run: string, { weights, post }: EnsembleManifest): Promise<FittedPipeline> {
  const combination = weights
    ? weightedCombination(weights)
    : stackedCombination(await readStack(join(run, STACK_FOLDER)));
  return { combination, steps: post };
}

/** The members where they lie now. @throws InputError when one is gone or was trained again otherwise */
export async function memberRuns(run: string, { members }: EnsembleManifest): Promise<MemberRun[]> {
  const found: MemberRun[] = [];
  for (const member of members) {
    const folder = resolve(run, member.run);
    const manifest = await readCompleteManifest(folder);
    if (manifest.fingerprint !== member.fingerprint) {
      throw new InputError(folder, `was trained again since ${run} was made`, 'make the ensemble again');
    }
    const { source } = manifest.data;
    const onFeatures = manifest.recipe.input.kind === 'features' && source.kind === 'features';
    found.push({
      run: folder,
      features: onFeatures ? source.features.map((file) => resolve(folder, file)) : null,
    });
  }
  if (new Set(found.map(({ features }) => features === null)).size > 1) {
    throw new InputError(
      run,
      'has members trained on photos and members trained on features',
      'predict with an ensemble whose members all take the same',
    );
  }
  return found;
}

const meanKnown = (values: readonly number[]): number | null => (values.length > 0 ? mean(values) : null);
