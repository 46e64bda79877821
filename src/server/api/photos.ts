import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { z } from '@hono/zod-openapi';
import { type FieldEdits, isAskedAlike, PhotoRecord, Uuid } from '../../farm/index.ts';
import { conflict, found, notFound } from '../answers/refusal.ts';
import { columnsOf, findPhoto, photoOf, photoRow, StoredPhoto } from '../photos/stored-photo.ts';
import { UPLOADS_PATH } from '../photos/uploads.ts';
import { visitNow, visitOfPhoto } from '../records/joined-visits.ts';
import { noteRemoval, requireNotRemoved } from '../records/removals.ts';
import { edited, editedRow, fieldEdits, timesOfWhole } from '../records/stored-edits.ts';
import type { Farm } from '../services/farm.ts';
import type { Database } from '../storage/database.ts';
import { Part, part, partOf } from './listing.ts';
import { type Api, answer, ById, body, needs, route } from './route.ts';

/** `/api/photos`, and `/api/uploads` by which they come in. */
export function addPhotos(api: Api, farm: Farm): void {
  const { db, photos, estimator, uploads, maps, runs } = farm;
  // The protocol has a description of its own: https://tus.io/protocols/resumable-upload.
  api.on(['POST'], UPLOADS_PATH, needs('recorder'), (context) => uploads.answer(context.req.raw));
  // HEAD comes to the handlers of GET, which nothing else is asked with.
  api.on(['GET', 'PATCH'], `${UPLOADS_PATH}/:id`, needs('recorder'), (context) => {
    if (context.req.raw.method === 'GET') throw notFound('upload');
    return uploads.answer(context.req.raw);
  });
  api.openAPIRegistry.registerPath({
    method: 'post',
    path: UPLOADS_PATH,
    summary: 'Begins the upload of a photo (tus 1.0.0)',
    description:
      'Upload-Metadata has the photo’s record as JSON, base64, under `record`. Its parts are sent by PATCH to ' +
      '`/api/uploads/{id}`, where id is that of the record; HEAD tells how much has arrived. The last part is answered ' +
      '204 when the photo and its row are on the disk. A photo that is stored already is answered as whole.',
    request: {
      headers: z.object({
        'Tus-Resumable': z.literal('1.0.0'),
        'Upload-Length': z.string().regex(/^\d+$/).describe('bytes of the photo'),
        'Upload-Metadata': z.string().describe('`record` and, base64, the photo’s record as JSON'),
      }),
    },
    responses: { 201: { description: 'go on with PATCH' } },
    security: [{ token: [] }, { cookie: [] }],
  });
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/photos',
      summary: 'Lists photos',
      request: { query: Part.extend({ visitId: Uuid.optional() }) },
      responses: { 200: answer(partOf(StoredPhoto), 'a part of the photos, by id') },
    }),
    async (context) => {
      const { after, limit, visitId: named } = context.req.valid('query');
      const visitId = named && (await visitNow(db, named));
      const rows = await db
        .selectFrom('photos')
        .selectAll()
        .$if(after !== undefined, (rows) => rows.where('id', '>', after ?? ''))
        .$if(visitId !== undefined, (rows) => rows.where('visit_id', '=', visitId ?? null))
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      return context.json(part(rows, limit, photoOf), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/photos/{id}',
      summary: 'Reads what is known of a photo',
      request: { params: ById },
      responses: { 200: answer(StoredPhoto, 'the photo’s record') },
    }),
    async (context) => {
      const photo = await findPhoto(db, context.req.valid('param').id);
      return context.json(found(photo, 'photo'), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/photos/{id}/file',
      summary: 'Gives the photo as it was sent',
      request: { params: ById },
      responses: { 200: { description: 'the file', content: { 'image/*': { schema: z.string() } } } },
    }),
    async (context) => {
      const photo = found(await findPhoto(db, context.req.valid('param').id), 'photo');
      const stream = createReadStream(photos.pathOf(photo.sha256));
      return context.body(Readable.toWeb(stream) as ReadableStream, 200, {
        'Content-Type': photo.file.mediaType,
        'Content-Length': String(photo.file.bytes),
        'Cache-Control': 'private, max-age=31536000, immutable',
      });
    },
  );
  /** Writes a photo's record, and forgets what was said of it where a run would be told otherwise now. */
  const write = async (tx: Database, known: StoredPhoto, sent: PhotoRecord, changed: string) => {
    const record = { ...sent, visitId: await visitOfPhoto(tx, sent.visitId) };
    const { id } = known;
    await tx
      .updateTable('photos')
      .set({ ...columnsOf(record), changed })
      .where('id', '=', id)
      .execute();
    const isOther = !isAskedAlike(record, known);
    if (isOther) await tx.deleteFrom('estimates').where('photo_id', '=', id).execute();
    // A visit that the run has answered in part gets the rest of its answers.
    const isToBeAsked = isOther || record.visitId !== known.visitId;
    return { photo: { ...known, ...record }, isToBeAsked };
  };
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/photos/{id}/map',
      summary: 'Shows where in a photo the farm’s run sees mass: the photo in grey under colours (viridis)',
      description:
        'Sward-Scale-Top says how many kg DM/ha the last colour stands for. 404 for a run that makes no maps.',
      request: { params: ById },
      responses: { 200: { description: 'the map', content: { 'image/png': { schema: z.string() } } } },
    }),
    async (context) => {
      const photo = found(await findPhoto(db, context.req.valid('param').id), 'photo');
      const { png, scaleTop } = await maps.of(photo, await runs.chosen());
      return context.body(png, 200, {
        'Content-Type': 'image/png',
        'Sward-Scale-Top': String(scaleTop),
        'Cache-Control': 'private, no-cache',
      });
    },
  );
  api.openapi(
    route('recorder', {
      method: 'put',
      path: '/api/photos/{id}',
      summary: 'Changes what is known of a stored photo',
      description:
        'Its visit, position, frame or height. With another frame or height it is estimated again.',
      request: { params: ById, body: body(PhotoRecord) },
      responses: { 200: answer(StoredPhoto, 'the photo’s record as it is kept') },
    }),
    async (context) => {
      const record = context.req.valid('json');
      const { id } = context.req.valid('param');
      const { photo, isToBeAsked } = await db.transaction().execute(async (tx) => {
        await requireNotRemoved(tx, 'photo', id);
        const row = found(await photoRow(tx, id), 'photo');
        if (record.id !== id || record.sha256 !== row.sha256) {
          throw conflict('a photo keeps its id and its file; send another file as a new photo');
        }
        return write(tx, photoOf(row), record, timesOfWhole(row, record));
      });
      if (isToBeAsked) estimator.wake();
      return context.json(photo, 200);
    },
  );
  api.openapi(
    route('recorder', {
      method: 'patch',
      path: '/api/photos/{id}',
      summary: 'Changes single fields of what is known of a stored photo',
      description:
        'What two devices change of different fields is both kept; of one field that both have changed, the later change.',
      request: { params: ById, body: body(fieldEdits(PhotoRecord.omit({ sha256: true }).shape)) },
      responses: { 200: answer(edited(StoredPhoto), 'the photo’s record as it is kept') },
    }),
    async (context) => {
      const edits = context.req.valid('json');
      const { id } = context.req.valid('param');
      const { photo, isToBeAsked, contested } = await db.transaction().execute(async (tx) => {
        await requireNotRemoved(tx, 'photo', id);
        const row = found(await photoRow(tx, id), 'photo');
        const { record, times, contested } = editedRow<PhotoRecord>(row, await withVisitsNow(tx, edits));
        return { ...(await write(tx, photoOf(row), record, JSON.stringify(times))), contested };
      });
      if (isToBeAsked) estimator.wake();
      return context.json({ record: photo, contested }, 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: '/api/photos/{id}',
      summary: 'Removes a photo that no cut names, with its estimates',
      request: { params: ById },
      responses: { 204: { description: 'it is gone' } },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      await photos.alone(async () => {
        const photo = await findPhoto(db, id);
        if (!photo) return;
        await db.transaction().execute(async (tx) => {
          await noteRemoval(tx, 'photo', id);
          await tx.deleteFrom('photos').where('id', '=', id).execute();
        });
        const other = await db
          .selectFrom('photos')
          .select('id')
          .where('sha256', '=', photo.sha256)
          .limit(1)
          .executeTakeFirst();
        if (!other) await Promise.all([photos.remove(photo.sha256), maps.forget(photo.sha256)]);
      });
      return context.body(null, 204);
    },
  );
}

/** Changes whose visits are called as they are now. */
async function withVisitsNow(tx: Database, edits: FieldEdits): Promise<FieldEdits> {
  const { visitId } = edits;
  if (!visitId) return edits;
  const now = async (id: unknown) => visitOfPhoto(tx, typeof id === 'string' ? id : null);
  return { ...edits, visitId: { ...visitId, from: await now(visitId.from), to: await now(visitId.to) } };
}
