import { countOf } from '../../ground/counts.ts';
import type { Database } from '../storage/database.ts';

/** What a person should look at of a visit's cuts and the photos that they name, a sentence each. */
export async function cutDoubts(db: Database, visitId: string): Promise<string[]> {
  const named = await db
    .selectFrom('cuts')
    .innerJoin('photos', 'photos.id', 'cuts.photo_id')
    .select(['photos.id', 'cuts.visit_id as cutVisit', 'photos.visit_id as photoVisit'])
    .where(({ or, eb }) => or([eb('cuts.visit_id', '=', visitId), eb('photos.visit_id', '=', visitId)]))
    .execute();
  const here = named.filter(({ cutVisit }) => cutVisit === visitId);
  const twice = here.length - new Set(here.map(({ id }) => id)).size;
  const strange = here.filter(({ photoVisit }) => photoVisit !== visitId).length;
  const elsewhere = new Set(named.filter(({ cutVisit }) => cutVisit !== visitId).map(({ id }) => id)).size;
  return [
    ...(twice > 0
      ? [
          `${countOf(twice, 'cut')} left out: another cut names the same photo. Remove one, or name its own photo.`,
        ]
      : []),
    ...(strange > 0
      ? [
          `${countOf(strange, 'cut')} of photos of another visit: taken as not photographed. Put both in one visit.`,
        ]
      : []),
    ...(elsewhere > 0
      ? [`${countOf(elsewhere, 'photo')} cut in another visit: taken as not cut. Put both in one visit.`]
      : []),
  ];
}
