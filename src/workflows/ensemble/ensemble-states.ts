import { chosenStages } from '../../estimators/combination/choice.ts';
import type { PipelineSettings } from '../../estimators/combination/pipeline.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { Targets } from '../../pasture/targets.ts';
import { caseFile } from '../../runs/covariate-cases.ts';
import {
  readStatesOut,
  STATES_OUT,
  type StateOutRow,
  scoreStates,
  statesIn,
} from '../../runs/leave-one-state-out.ts';
import type { AlignedMembers, CaseMember } from './ensemble-members.ts';

/** What an ensemble says of photos whose State its members have not seen. */
export interface EnsembleStates {
  /** Null where there is no such prediction of every member, or there are fewer than two States. */
  readonly rows: readonly StateOutRow[] | null;
  /** Folders of members that hold none, where that is why there are no rows. */
  readonly lacking: readonly string[];
  /** Weighted R² of each member alone on the photos of the rows; empty where there are none. */
  readonly scores: readonly number[];
}

/**
 * Combines what the members say of each State by models trained without it. For each State weights and
 * post-processing are fitted anew to the out-of-fold predictions of all other photos, as they would be had nothing
 * of the State been known; weights fitted to all photos would have seen it.
 *
 * @throws InputError when a member's predictions are damaged
 */
export async function leaveStatesOut(
  settings: PipelineSettings,
  { members, photos, rows }: AlignedMembers,
  random: RandomStream,
): Promise<EnsembleStates> {
  const { states } = rows;
  if (statesIn(states).length < 2) return { rows: null, lacking: [], scores: [] };
  const asked = await Promise.all(members.map((member) => unseenStates(member, photos)));
  const known = asked.filter((predicted) => predicted !== null);
  if (known.length < members.length) {
    const lacking = members.flatMap(({ run }, index) => (asked[index] ? [] : [run]));
    return { rows: null, lacking, scores: [] };
  }
  const stages = await chosenStages(settings, rows, states, random, known);
  const rowsOf = (predicted: readonly Targets[]): StateOutRow[] =>
    photos.flatMap(({ imageId, state, observed }, photo) =>
      state === null ? [] : [{ imageId, state, observed, predicted: predicted[photo] as Targets }],
    );
  return {
    rows: rowsOf(stages.at(-1) ?? []),
    lacking: [],
    scores: known.map((predicted) => scoreStates(rowsOf(predicted)).pooled.weightedR2),
  };
}

/** A member's predictions in the order of the photos; null where it has not all, each without the photo's State. */
async function unseenStates(
  { folder, covariates }: CaseMember,
  photos: AlignedMembers['photos'],
): Promise<readonly Targets[] | null> {
  const found = await readStatesOut(folder, covariates ? caseFile(STATES_OUT, covariates) : STATES_OUT);
  const predicted = photos.map(({ imageId, state, predicted: outOfFold }) => {
    // Photos of no known State are fitted to and not asked about.
    if (state === null) return outOfFold;
    const own = found?.get(imageId);
    return own?.state === state ? own.predicted : null;
  });
  return predicted.every((targets) => targets !== null) ? predicted : null;
}
