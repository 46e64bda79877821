import {
  type AnsweringRun,
  answeringRun,
  answerShown,
  type Calibration,
  type CalibrationPair,
  type Cut,
  calibrationPair,
  type Estimate,
  type FramesOfVisit,
  farmCalibration,
  framesOf,
  guessPaddock,
  type Paddock,
  type PaddockGuess,
  type RunReference,
  SAME_VISIT_MILLISECONDS,
  settledResult,
  type Visit,
  type VisitFindings,
  visitFindings,
  withPhotoAt,
} from '../../../src/farm/index.ts';
import type { EstimatorState } from '../estimate/estimator.ts';
import { STARTER } from '../estimate/starter.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { KeptPhoto } from '../store/records.ts';

const instant = (moment: string): number => Date.parse(moment);

/** The visit of a paddock at a moment: one that is under way, or a new one that is not kept yet. */
export function visitAt(
  store: FarmStore,
  paddockId: string,
  moment: string,
): { visit: Visit; isNew: boolean } {
  const apart = ({ startedAt }: Visit): number => Math.abs(instant(moment) - instant(startedAt));
  const [known] = [...store.visits.value.values()]
    .filter((visit) => visit.paddockId === paddockId && apart(visit) < SAME_VISIT_MILLISECONDS)
    .sort((a, b) => apart(a) - apart(b));
  if (known) return { visit: known, isNew: false };
  return { visit: { id: crypto.randomUUID(), paddockId, startedAt: moment, note: '' }, isNew: true };
}

/** Says that a photo shows a paddock. */
export async function placePhoto(store: FarmStore, photo: KeptPhoto, paddockId: string): Promise<void> {
  await store.saveAll(() => {
    const { visit, isNew } = visitAt(store, paddockId, photo.record.capturedAt);
    const now = store.photos.value.get(photo.id) ?? photo;
    const placed = { ...now, record: { ...now.record, visitId: visit.id } };
    const begun = withPhotoAt(visit, now.record.capturedAt);
    return [
      ...(isNew || begun !== visit ? [{ kind: 'visit' as const, record: begun }] : []),
      { kind: 'photo' as const, record: placed },
    ];
  });
}

/** Which paddock a photo may show: by its own position; where it has none, by what its file says, which is never sure. */
export function guessFor(store: FarmStore, { record, filePosition }: KeptPhoto): PaddockGuess | null {
  const paddocks = [...store.paddocks.value.values()];
  if (record.position) return guessPaddock(record.position, paddocks);
  return filePosition ? { ...guessPaddock(filePosition, paddocks), sure: false } : null;
}

export const newPaddock = (name: string): Paddock => ({
  id: crypto.randomUUID(),
  name: name.trim(),
  boundary: null,
  hectares: null,
});

const sameName = (one: string, other: string): boolean =>
  one.trim().localeCompare(other.trim(), undefined, { sensitivity: 'accent' }) === 0;

/** The paddock of a name, however it is written; the one of an id does not count. */
export const paddockNamed = (store: FarmStore, name: string, besides = ''): Paddock | undefined =>
  [...store.paddocks.value.values()].find((known) => known.id !== besides && sameName(known.name, name));

/** Two paddocks of one name could not be told apart in any list. @throws Error where another has it */
export function requireFreeName(store: FarmStore, { id, name }: Pick<Paddock, 'id' | 'name'>): void {
  const known = paddockNamed(store, name, id);
  if (known) throw new Error(`There is a paddock called ${known.name} already: give another name.`);
}

/** Runs that are known with how they err, the one that answers first: the farm's, as the server said, or this device's. */
export function knownRuns(store: FarmStore, state: EstimatorState): AnsweringRun[] {
  const said = store.answering.value;
  const farms = said ? [said.run, ...said.others] : [];
  if (state.kind !== 'ready' || farms.some(({ hash }) => hash === state.run.hash)) return farms;
  const { by, errors } = state.opened;
  return [...farms, { ...state.run, errors, frameAreaSquareMetres: by.areaSquareMetres }];
}

/** The run in use: the farm's, and of a device by itself its own. */
export const runInUse = ({ answering }: FarmStore): RunReference => answering.value?.run ?? STARTER;

/** What a photo is answered with. */
export interface PhotoAnswer {
  readonly estimate: Estimate;
  /** Whether the mean of the photo's visit is of this run's answers; also of a photo without a visit. */
  readonly isInMean: boolean;
}

/**
 * What photos are answered with: by the run that their visit's mean is of, or where it has not, by the one that did last.
 * A photo without a visit is taken for one.
 */
export function answersOf(store: FarmStore): (photo: Pick<KeptPhoto, 'id' | 'record'>) => PhotoAnswer | null {
  const photosOfVisit = new Map<string, KeptPhoto[]>();
  for (const photo of store.photos.value.values()) {
    const key = photo.record.visitId ?? photo.id;
    const others = photosOfVisit.get(key);
    if (others) others.push(photo);
    else photosOfVisit.set(key, [photo]);
  }
  const runs = new Map<string, string | null>();
  return ({ id, record }) => {
    const key = record.visitId ?? id;
    const runHash = runs.get(key) ?? answeringRunOf(store, photosOfVisit.get(key) ?? []);
    runs.set(key, runHash);
    const estimate = answerShown(store.estimates.value.get(id) ?? [], runHash);
    return estimate && { estimate, isInMean: estimate.run.hash === runHash };
  };
}

/** Every answer to some photos. */
const answersTo = (store: FarmStore, photos: readonly Pick<KeptPhoto, 'id'>[]): Estimate[] =>
  photos.flatMap(({ id }) => store.estimates.value.get(id) ?? []);

/** The hash of the run that a visit of these photos is answered by; null where none has answered. */
const answeringRunOf = (store: FarmStore, photos: readonly Pick<KeptPhoto, 'id'>[]): string | null =>
  answeringRun(answersTo(store, photos), runInUse(store).hash);

/** What a photo is answered with, as {@link answersOf} has it. */
export function estimateFor(
  store: FarmStore,
  { id, record }: Pick<KeptPhoto, 'id' | 'record'>,
): Estimate | null {
  const ofVisit = record.visitId === null ? [{ id }] : photosOf(store, record.visitId);
  return answerShown(store.estimates.value.get(id) ?? [], answeringRunOf(store, ofVisit));
}

export const photosOf = (store: FarmStore, visitId: string): KeptPhoto[] =>
  [...store.photos.value.values()]
    .filter(({ record }) => record.visitId === visitId)
    .sort((a, b) => instant(a.record.capturedAt) - instant(b.record.capturedAt));

/** The visit and paddock that a photo is of, as far as that was said. */
export function placeOf(
  store: FarmStore,
  { record: { visitId } }: KeptPhoto,
): { readonly visit: Visit | undefined; readonly paddock: Paddock | undefined } {
  const visit = visitId === null ? undefined : store.visits.value.get(visitId);
  return { visit, paddock: visit && store.paddocks.value.get(visit.paddockId) };
}

/** Photos without a paddock that were taken within a visit of the newest of them, the newest first. */
export function unplacedTogether(store: FarmStore): KeptPhoto[] {
  const unplaced = [...store.photos.value.values()]
    .filter(({ record }) => record.visitId === null)
    .sort((a, b) => instant(b.record.capturedAt) - instant(a.record.capturedAt));
  const newest = instant(unplaced[0]?.record.capturedAt ?? '');
  return unplaced.filter(({ record }) => newest - instant(record.capturedAt) < SAME_VISIT_MILLISECONDS);
}

export const cutsOf = (store: FarmStore, visitId: string): Cut[] =>
  [...store.cuts.value.values()].filter((cut) => cut.visitId === visitId);

/** A visit's findings, and what they leave out. */
export interface VisitView extends VisitFindings, Omit<FramesOfVisit, 'frames' | 'runHash'> {
  readonly run: RunReference | null;
}

/**
 * What a visit's photos and cuts say of its paddock, by the code that the server uses.
 *
 * @param runs whose errors are known
 */
export function viewVisit(
  store: FarmStore,
  visit: Visit,
  paddock: Paddock,
  runs: readonly AnsweringRun[],
): VisitView {
  const photos = photosOf(store, visit.id);
  const estimates = answersTo(store, photos);
  const { frames, runHash, ...counts } = framesOf(
    {
      photoIds: photos.map(({ id }) => id),
      estimates,
      problems: new Set(photos.flatMap(({ id, problem }) => (problem === null ? [] : [id]))),
      cuts: cutsOf(store, visit.id),
    },
    runInUse(store).hash,
  );
  const answering = runs.find(({ hash }) => hash === runHash) ?? null;
  const calibration = answering && appliedCalibration(store, answering);
  const said = estimates.find(({ run }) => run.hash === runHash);
  return {
    ...visitFindings(frames, { paddock, run: answering, calibration }),
    ...counts,
    run: said?.run ?? null,
  };
}

/** The calibration that estimates are corrected by: the server's last, and on a device by itself that of what is here. */
export function appliedCalibration(store: FarmStore, run: AnsweringRun): Calibration | null {
  if (store.value('device') === undefined) return calibrationHere(store, run);
  return store.calibrations.value.find((made) => made.run.hash === run.hash) ?? null;
}

/** What a run said of frames that were then cut and dried, as they are here. */
export const calibrationPairs = (store: FarmStore, { hash }: Pick<AnsweringRun, 'hash'>): CalibrationPair[] =>
  [...store.cuts.value.values()].flatMap((cut) => {
    const estimates = store.estimates.value.get(cut.photoId ?? '') ?? [];
    const pair = calibrationPair(
      cut,
      estimates.find((estimate) => estimate.run.hash === hash),
    );
    return pair ? [pair] : [];
  });

/**
 * The farm's correction of a run by all its cuts, as they are here; null without any.
 *
 * @param asked height of the cuts it is to stand on, cm; null: as the server would choose it
 */
export function calibrationHere(
  store: FarmStore,
  run: AnsweringRun,
  asked: number | null = null,
): Calibration | null {
  const last = store.calibrations.value.find((made) => made.run.hash === run.hash) ?? null;
  const made = farmCalibration(run, calibrationPairs(store, run), {
    asked,
    last: last?.cuttingHeightCentimetres ?? null,
  });
  return typeof made === 'string' ? null : made;
}

/** Dry cuts of photographed frames, and how many of them are of photos that a run has answered. */
export function photographedCuts(
  store: FarmStore,
  run: Pick<AnsweringRun, 'hash'>,
): { readonly dry: number; readonly answered: number } {
  const dry = [...store.cuts.value.values()].filter((cut) => cut.photoId !== null && settledResult(cut));
  return { dry: dry.length, answered: calibrationPairs(store, run).length };
}

/** Visits of a paddock, the newest first. */
export const visitsOf = (store: FarmStore, paddockId: string): Visit[] =>
  [...store.visits.value.values()]
    .filter((visit) => visit.paddockId === paddockId)
    .sort((a, b) => instant(b.startedAt) - instant(a.startedAt));
