import { momentOf } from '../capture/moment.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { clockNotice } from '../store/notices.ts';
import { type KeptPhoto, keyOf } from '../store/records.ts';
import { clockSkew } from './server-clock.ts';

/** A photo that was kept so soon after it was taken was taken by this device, and by its clock. */
const AT_ONCE_MS = 10 * 60_000;
/** What was said of this device's clock, among what the store keeps. */
const SAID = 'clock-said';

const later = (moment: string, milliseconds: number): string =>
  momentOf(new Date(Date.parse(moment) + milliseconds));

/**
 * Dates what the app's camera took, and nobody has sent yet, by the server's clock where this device's is another; with
 * the visits that only these photos have begun. Each once.
 */
export function mendTimes(store: FarmStore, skew = clockSkew()): Promise<void> {
  if (skew === 0) return Promise.resolve();
  return store.saveAll(() => {
    const isShot = ({ id, origin, storedAt, record, isClockMended }: KeptPhoto): boolean => {
      const item = store.outbox.value.get(keyOf('photo', id));
      if (origin !== 'camera' || storedAt !== null || isClockMended || !item) return false;
      return Math.abs(Date.parse(item.since) - Date.parse(record.capturedAt)) < AT_ONCE_MS;
    };
    const all = [...store.photos.value.values()];
    const shots = all.filter(isShot);
    const visits = [...store.visits.value.values()].filter(({ id }) => {
      const item = store.outbox.value.get(keyOf('visit', id));
      const own = all.filter(({ record }) => record.visitId === id);
      return item && !item.edits && own.length > 0 && own.every(isShot);
    });
    return [
      ...visits.map((visit) => ({
        kind: 'visit' as const,
        record: { ...visit, startedAt: later(visit.startedAt, skew) },
      })),
      ...shots.map((photo) => ({
        kind: 'photo' as const,
        record: {
          ...photo,
          isClockMended: true,
          record: { ...photo.record, capturedAt: later(photo.record.capturedAt, skew) },
        },
      })),
    ];
  });
}

/** Says once that this device's clock is not the server's, and again when it has been right between. */
export async function tellOfClock(store: FarmStore, skew = clockSkew()): Promise<void> {
  const isSaid = store.value(SAID) !== undefined;
  if (skew !== 0 && !isSaid) {
    await store.setValue(SAID, skew);
    await store.say([clockNotice(skew)]);
  } else if (skew === 0 && isSaid) await store.dropValue(SAID);
}
