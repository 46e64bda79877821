import { z } from 'zod';
import { PhotoRecord } from '../../farm/index.ts';
import type { InspectedPhoto } from '../inference/tasks.ts';
import type { Database } from '../storage/database.ts';
import { storageFailure } from '../storage/disk.ts';
import { stored } from '../storage/stored.ts';

/** What a stored photo's file says of itself. */
export const PhotoFile = z.strictObject({
  bytes: z.int().min(1),
  mediaType: z.string(),
  width: z.int().min(1),
  height: z.int().min(1),
  cameraTime: z.string().nullable().describe('by the camera’s clock, which knows no zone'),
  cameraPosition: z
    .strictObject({ latitude: z.number(), longitude: z.number() })
    .nullable()
    .describe('where the file says it was taken: a hint to ask about, never used as the photo’s position'),
});

/** A photo that is kept: its record and what its file says. */
export const StoredPhoto = z.strictObject({ ...PhotoRecord.shape, storedAt: z.string(), file: PhotoFile });
export type StoredPhoto = z.output<typeof StoredPhoto>;

/** A photo as its row has it. */
export function photoOf(row: {
  readonly body: string;
  readonly file: string;
  readonly stored_at: string;
}): StoredPhoto {
  return {
    ...stored<PhotoRecord>(row.body),
    file: stored<z.output<typeof PhotoFile>>(row.file),
    storedAt: row.stored_at,
  };
}

/** The row of a photo. */
export const photoRow = (db: Database, id: string) =>
  db.selectFrom('photos').selectAll().where('id', '=', id).executeTakeFirst();

/** The photo of an id; null where none is kept. */
export async function findPhoto(db: Database, id: string): Promise<StoredPhoto | null> {
  const row = await photoRow(db, id);
  return row ? photoOf(row) : null;
}

/** Writes the row of a photo whose file is kept; one of that id that is there already stays. */
export async function insertPhoto(db: Database, record: PhotoRecord, found: InspectedPhoto): Promise<void> {
  const { sha256: _, ...file } = found;
  await db
    .insertInto('photos')
    .values({
      ...columnsOf(record),
      id: record.id,
      sha256: record.sha256,
      stored_at: new Date().toISOString(),
      file: JSON.stringify(file),
    })
    .onConflict((on) => on.column('id').doNothing())
    .execute()
    .catch((error: unknown) => {
      throw storageFailure(error);
    });
}

/** Columns that a record's changes reach. */
export const columnsOf = (
  record: PhotoRecord,
): { visit_id: string | null; captured_at: string; body: string } => ({
  visit_id: record.visitId,
  captured_at: new Date(record.capturedAt).toISOString(),
  body: JSON.stringify(record),
});
