import { type InspectedTable, inspectOwnTable, type OwnTable } from '../data/own-table/read.ts';
import { type Problem, warn } from '../data/problems.ts';
import { countOf } from '../ground/counts.ts';
import { isPhotoName, readPhotoFacts } from '../vision/photos/index.ts';

/** Cameras without a clock that was set say an earlier year. */
const FIRST_YEAR = 2000;

/**
 * Reads a table of one's own, with the camera's date of photos whose row has none.
 *
 * @throws as {@link inspectOwnTable}
 */
export async function inspectTableWithDates(source: OwnTable): Promise<InspectedTable> {
  const inspected = await inspectOwnTable(source, isPhotoName);
  const problems: Problem[] = [...inspected.problems];
  let dated = 0;
  const photos: InspectedTable['photos'] = [];
  for (const photo of inspected.photos) {
    const date = photo.date ?? (await cameraDate(photo.path));
    if (photo.date === null && date !== null) dated += 1;
    photos.push({ ...photo, date });
  }
  if (dated > 0) {
    warn(problems, {
      code: 'date-notation',
      where: source.table,
      what: `${countOf(dated, 'photo')} without a date in the table get that of the camera`,
      remedy: 'give the sampling date where the camera was wrong',
    });
  }
  const dates = inspected.reading.dates ?? (dated > 0 ? 'of the camera' : null);
  return { photos, problems, reading: { ...inspected.reading, dates } };
}

/** The day a photo was taken by the camera's clock; null where it does not say, or the photo cannot be read. */
async function cameraDate(path: string): Promise<string | null> {
  const facts = await readPhotoFacts(path).catch(() => null);
  const taken = facts?.takenAt;
  return taken && taken.getUTCFullYear() >= FIRST_YEAR ? taken.toISOString().slice(0, 10) : null;
}
