import type { RandomStream } from '../../ground/random.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import {
  type FittedPipeline,
  fitPipeline,
  heldOutStages,
  type PipelineRows,
  type PipelineSettings,
} from './pipeline.ts';

/** Parts that a choice between a combination and its best member is made on. */
const CHOICE_PARTS = 5;

/** Scores closer than this are the same but for rounding. */
const TIE = 1e-9;

/** A pipeline, and the member that it is alone, where that did better than what was fitted. */
export interface ChosenPipeline {
  readonly pipeline: FittedPipeline;
  /** Place of the member; null where members are combined. */
  readonly alone: number | null;
}

/** What an ensemble is to be, and what it says of photos that had no part in it. */
export interface ChosenEnsemble extends ChosenPipeline {
  /** What it was fitted with: the settings asked for, or those of the member alone. */
  readonly settings: PipelineSettings;
  /** Nested, `[stage][photo]`. */
  readonly nested: readonly (readonly Targets[])[];
  /** Nested weighted R² of the settings as they are, without a choice; where a member is taken in their place. */
  readonly fittedScore: number | null;
}

/**
 * A pipeline of the settings, or the member that scores best alone, whichever does better on sessions that it was not
 * fitted to. Where nothing is fitted there is no choice.
 */
export async function chosenPipeline(
  settings: PipelineSettings,
  rows: PipelineRows,
  random: RandomStream,
): Promise<ChosenPipeline> {
  const pipeline = await fitPipeline(settings, rows, random);
  const parts = choiceParts(rows.sessions);
  if (!mayStandAlone(settings, rows) || new Set(parts).size < 2) return { pipeline, alone: null };
  const member = bestMember(rows);
  const single = aloneSettings(settings, rows, member);
  const score = async (tried: PipelineSettings): Promise<number> =>
    scoreOf(rows, await heldOutStages((kept, own) => fitPipeline(tried, kept, own), rows, parts, random));
  if ((await score(single)) <= (await score(settings)) + TIE) return { pipeline, alone: null };
  return { pipeline: await fitPipeline(single, rows, random), alone: member };
}

/**
 * What an ensemble of the settings is, with its nested predictions: the pipeline that was chosen, or the best member
 * alone where the nested score of all that choosing and fitting is below the member's. What predicts is then what is
 * scored.
 *
 * @param parts as {@link heldOutStages} takes them
 */
export async function chooseEnsemble(
  settings: PipelineSettings,
  rows: PipelineRows,
  parts: readonly number[],
  random: RandomStream,
): Promise<ChosenEnsemble> {
  const held = (tried: PipelineSettings): Promise<Targets[][]> =>
    heldOutStages((kept, own) => fitPipeline(tried, kept, own), rows, parts, random);
  const chosen = await chosenStages(settings, rows, parts, random);
  const { pipeline, alone } = await chosenPipeline(settings, rows, random);
  const combined = { settings, pipeline, alone: null, nested: chosen, fittedScore: null };
  if (!mayStandAlone(settings, rows)) return combined;
  const member = alone ?? bestMember(rows);
  const single = aloneSettings(settings, rows, member);
  const nested = await held(single);
  if (alone === null && scoreOf(rows, nested) <= scoreOf(rows, chosen) + TIE) return combined;
  return {
    settings: single,
    pipeline: await fitPipeline(single, rows, random),
    alone: member,
    nested,
    fittedScore: scoreOf(rows, await held(settings)),
  };
}

/** As {@link heldOutStages}, with a choice of its own for every part. */
export function chosenStages(
  settings: PipelineSettings,
  rows: PipelineRows,
  parts: readonly (number | string | null)[],
  random: RandomStream,
  asked: PipelineRows['members'] = rows.members,
): Promise<Targets[][]> {
  const fit = async (kept: PipelineRows, own: RandomStream): Promise<FittedPipeline> =>
    (await chosenPipeline(settings, kept, own)).pipeline;
  return heldOutStages(fit, rows, parts, random, asked);
}

/** Whether weights are found, so that a member alone may do better: given and equal ones are as they are wanted. */
function mayStandAlone({ combination: { method } }: PipelineSettings, { members }: PipelineRows): boolean {
  return method === 'stacking' || (method !== 'given' && method !== 'mean' && members.length > 1);
}

function bestMember({ members, observed }: PipelineRows): number {
  const scores = members.map((predicted) => weightedR2(observed, predicted));
  return scores.indexOf(Math.max(...scores.filter(Number.isFinite)));
}

/** The same post-processing of one member. */
function aloneSettings(
  { steps, combination }: PipelineSettings,
  { members }: PipelineRows,
  member: number,
): PipelineSettings {
  const weights = members.map((_, other) => Number(other === member));
  return { steps, combination: { ...combination, method: 'given', perTarget: false, weights } };
}

function scoreOf({ observed }: PipelineRows, stages: readonly (readonly Targets[])[]): number {
  return weightedR2(observed, stages.at(-1) ?? []);
}

/** Whole sessions in a few parts. */
function choiceParts(sessions: readonly string[]): number[] {
  const names = [...new Set(sessions)];
  return sessions.map((session) => names.indexOf(session) % CHOICE_PARTS);
}
