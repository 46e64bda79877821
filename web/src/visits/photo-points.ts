import type { EstimatorState } from '../estimate/estimator.ts';
import type { MapPoint } from '../map/farm-map.tsx';
import { day, number } from '../parts/words.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { shownEstimates } from './shown-estimate.ts';
import { placeOf } from './visits.ts';

/** Where photos were taken, with what they say: all of them, or those of one paddock. */
export function photoPoints(store: FarmStore, state: EstimatorState, paddockId?: string): MapPoint[] {
  const shownOf = shownEstimates(store, state);
  return [...store.photos.value.values()].flatMap((photo) => {
    const { id, record } = photo;
    if (!record.position) return [];
    if (paddockId !== undefined && placeOf(store, photo).paddock?.id !== paddockId) return [];
    const total = shownOf(photo)?.estimate.kgDmPerHa.total ?? null;
    const words = `${total === null ? 'Photo' : `${number(total)} kg DM/ha`}, ${day(record.capturedAt)}`;
    return [{ id, position: record.position, words }];
  });
}
