import { settledResult } from '../../../src/farm/index.ts';
import { countOf, forCount } from '../../../src/ground/counts.ts';
import { MASS_NAMES } from '../../../src/pasture/targets.ts';
import { number } from '../parts/words.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { Job, Run } from '../sync/farm-runs.ts';

const saidBy = ({ estimates }: FarmStore, hash: string) =>
  [...estimates.value.values()].flat().filter(({ run }) => run.hash === hash);

/** How many of the farm's photos a run has answered, and its mean total, kg DM/ha. */
export function photosOfRun(store: FarmStore, hash: string) {
  const said = saidBy(store, hash);
  const totals = said.flatMap(({ kgDmPerHa: { total } }) => (total === null ? [] : [total]));
  const mean = totals.length > 0 ? totals.reduce((sum, value) => sum + value, 0) / totals.length : null;
  return { photos: said.length, mean };
}

/** How far a run is usually off the farm's cuts, kg DM/ha. */
export type OffFromCuts =
  /** Of cuts that it was not trained on. */
  | { readonly kind: 'unseen'; readonly rmse: number; readonly cuts: number }
  /** Of cuts that it was trained on, each left out in turn. */
  | { readonly kind: 'left-out'; readonly rmse: number; readonly cuts: number }
  /** It was trained on all of them, and how it did without is not known. */
  | { readonly kind: 'trained-on' }
  | { readonly kind: 'none' };

/** How far a run is off cuts that it has not seen; memory of what it was trained on is no figure. */
export function offFromCuts(
  store: FarmStore,
  { id, hash }: Pick<Run, 'id' | 'hash'>,
  jobs: readonly Job[],
): OffFromCuts {
  const score = jobs.find(({ progress }) => progress.runId === id)?.progress.score;
  if (score && score.rmse !== null) return { kind: 'left-out', rmse: score.rmse, cuts: score.cuts };
  const byPhoto = new Map(saidBy(store, hash).map((estimate) => [estimate.photoId, estimate]));
  let isTrainedOn = false;
  const squares = [...store.cuts.value.values()].flatMap((cut) => {
    const said = byPhoto.get(cut.photoId ?? '');
    const result = settledResult(cut);
    if (!said || !result || said.kgDmPerHa.total === null) return [];
    if (said.trainedOn) isTrainedOn = true;
    return said.trainedOn ? [] : [(said.kgDmPerHa.total - result.kgDmPerHa) ** 2];
  });
  if (squares.length === 0) return { kind: isTrainedOn ? 'trained-on' : 'none' };
  const rmse = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
  return { kind: 'unseen', rmse, cuts: squares.length };
}

/** The same for a cell of a table. */
export function offWords(off: OffFromCuts): string {
  switch (off.kind) {
    case 'unseen':
      return `${number(off.rmse)} (${countOf(off.cuts, 'cut')})`;
    case 'left-out':
      return `${number(off.rmse)} (${countOf(off.cuts, 'cut')}, left out in turn)`;
    case 'trained-on':
      return '–, it was trained on them';
    case 'none':
      return '–';
  }
}

/** The same in a sentence; null where nothing is known. */
export function offSentence(name: string, off: OffFromCuts): string | null {
  switch (off.kind) {
    case 'unseen':
      return `${name} is usually off by ${number(off.rmse)} kg DM/ha from ${countOf(off.cuts, 'own cut')}.`;
    case 'left-out':
      return `${name} is usually off by ${number(off.rmse)} kg DM/ha from ${countOf(off.cuts, 'own cut')} that were left out of its training in turn.`;
    case 'trained-on':
      return `${name} was trained on the farm's own cuts, and how far it is off from others is not known.`;
    case 'none':
      return null;
  }
}

/** How a run that was trained did on cuts it was not trained on, in words. */
export function scoreWords(score: NonNullable<Job['progress']['score']>): string {
  const { r2, rmse, cuts, visits, days } = score;
  const of = `${countOf(cuts, 'cut')} of ${countOf(visits, 'visit')}`;
  const learnt = learntWords(score);
  if (rmse === null || r2 === null) return `Trained on ${of}: too few to say how far it is off.${learnt}`;
  const worth = r2 > 0 ? '' : ' That is no better than the mean of all cuts.';
  const alike = days === 1 && visits > 1 ? ' All are of one day: on another it may be further off.' : '';
  return `On cuts left out in turn it is off by about ${number(rmse)} kg DM/ha; ${of}.${worth}${alike}${learnt}`;
}

/** What a run was not taught, and what is missing for it. */
function learntWords({
  cuts,
  days,
  sorted = 0,
  learnt = MASS_NAMES,
}: NonNullable<Job['progress']['score']>): string {
  if (learnt.length === MASS_NAMES.length) return '';
  return (
    ` It says the total alone, since ${sorted} of ${cuts} cuts ${forCount(sorted, 'is', 'are')} sorted: for green, dead and ` +
    `clover sort cuts of two ${days === 1 ? 'paddocks' : 'days'} at least.`
  );
}
