import type { RandomStream } from '../../ground/random.ts';
import type { Targets } from '../../pasture/targets.ts';
import { applyStep, type FittedStep, fitStep, type StepChoice } from '../post-processing/steps.ts';
import {
  type Combination,
  type CombinationSettings,
  fitCombination,
  type MemberPredictions,
} from './combination.ts';

/** How members' predictions become one: a combination, then steps of post-processing in order. */
export interface PipelineSettings {
  readonly combination: CombinationSettings;
  readonly steps: readonly StepChoice[];
}

/** What a pipeline is fitted to. */
export interface PipelineRows extends MemberPredictions {
  /** State of each photo, null where unknown. */
  readonly states: readonly (string | null)[];
}

export interface FittedPipeline {
  readonly combination: Combination;
  readonly steps: readonly FittedStep[];
}

/** Fits the combination, then each step to what it receives from those before. */
export async function fitPipeline(
  settings: PipelineSettings,
  rows: PipelineRows,
  random: RandomStream,
): Promise<FittedPipeline> {
  const combination = await fitCombination(settings.combination, rows, random);
  let predicted = await combination.combine(rows.members);
  const steps: FittedStep[] = [];
  for (const choice of settings.steps) {
    const step = fitStep(choice, predicted, rows.observed);
    predicted = applyStep(step, predicted, rows.states);
    steps.push(step);
  }
  return { combination, steps };
}

/**
 * Masses after the combination and after each step, grams, `[stage][photo]`; the last stage is the answer.
 *
 * @param members `[member][photo]`
 */
export async function pipelineStages(
  { combination, steps }: FittedPipeline,
  members: readonly (readonly Targets[])[],
  states: readonly (string | null)[],
): Promise<Targets[][]> {
  const stages = [await combination.combine(members)];
  for (const step of steps) stages.push(applyStep(step, stages.at(-1) ?? [], states));
  return stages;
}

/**
 * What a pipeline says of each photo when everything in it is fitted without the part the photo is in: the honest
 * counterpart of {@link pipelineStages} on the rows it was fitted to.
 *
 * @param fit makes a pipeline of some rows
 * @param parts fold, session or State of each photo, scored together, at least two different ones; a photo of null is
 *   fitted to and has no answer
 * @param asked what members say of photos when they are scored, `[member][photo]`, where that is not what is fitted to
 * @returns `[stage][photo]`
 */
export async function heldOutStages(
  fit: (rows: PipelineRows, random: RandomStream) => Promise<FittedPipeline>,
  rows: PipelineRows,
  parts: readonly (number | string | null)[],
  random: RandomStream,
  asked: PipelineRows['members'] = rows.members,
): Promise<Targets[][]> {
  const stages: Targets[][] = [];
  for (const part of new Set(parts)) {
    if (part === null) continue;
    const photos = parts.map((_, photo) => photo);
    const pipeline = await fit(
      takePhotos(
        rows,
        photos.filter((photo) => parts[photo] !== part),
      ),
      random.fork(String(part)),
    );
    const held = photos.filter((photo) => parts[photo] === part);
    const heldRows = takePhotos({ ...rows, members: asked }, held);
    const answers = await pipelineStages(pipeline, heldRows.members, heldRows.states);
    answers.forEach((stage, index) => {
      stages[index] ??= new Array<Targets>(parts.length);
      for (const [row, photo] of held.entries()) stages[index][photo] = stage[row] as Targets;
    });
  }
  return stages;
}

/** Some photos of all members. */
function takePhotos(rows: PipelineRows, photos: readonly number[]): PipelineRows {
  const pick = <T>(values: readonly T[]): T[] => photos.map((photo) => values[photo] as T);
  return {
    members: rows.members.map(pick),
    observed: pick(rows.observed),
    sessions: pick(rows.sessions),
    states: pick(rows.states),
  };
}
