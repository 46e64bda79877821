import { z } from '@hono/zod-openapi';
import { Estimate, FrameArea, Uuid } from '../../farm/index.ts';
import { HEIGHT_METHODS, TALLEST_SWARD } from '../../pasture/covariates.ts';
import { Refusal } from '../answers/refusal.ts';
import { estimateOf } from '../photos/estimator.ts';
import { withBodyFile } from '../photos/incoming-form.ts';
import { tooLarge } from '../photos/uploads.ts';
import { visitNow } from '../records/joined-visits.ts';
import type { Farm } from '../services/farm.ts';
import { stored } from '../storage/stored.ts';
import { Part, part, partOf } from './listing.ts';
import { type Api, answer, route } from './route.ts';

/** What a form has besides the photo. */
const FORM_BYTES = 64 * 1024;

const Answer = Estimate.omit({ id: true, photoId: true }).extend({
  refused: z
    .string()
    .nullable()
    .describe('why the run did not read the height; null: it did, or none was given'),
});

/** An estimate, or why the run could not make one. */
const Outcome = z.strictObject({
  id: Uuid,
  photoId: Uuid,
  estimate: Estimate.nullable(),
  problem: z.string().nullable().describe('why the run could not answer; null: it did'),
});

/** `POST /api/estimate`, and the estimates of stored photos at `/api/estimates`. */
export function addEstimates(api: Api, { db, pool, runs, folder, settings }: Farm): void {
  api.openapi(
    route('viewer', {
      method: 'post',
      path: '/api/estimate',
      summary: 'Estimates a photo, of which nothing is stored',
      description:
        'Fields of the form: photo (the file), frameAreaSquareMetres (default: that of the run), height in cm and heightMethod, both or neither. Each field once.',
      responses: { 200: answer(Answer, 'what the farm’s run says of the photo') },
    }),
    async (context) => {
      const contentType = context.req.header('content-type') ?? '';
      if (!/^multipart\/form-data\s*;.*boundary=/i.test(contentType)) {
        throw new Refusal(415, 'bad-request', 'send multipart/form-data with the photo in its field photo');
      }
      const arrived = pool.expect();
      const { raw } = context.req;
      const run = await runs.chosen().catch((error: unknown) => {
        arrived();
        throw error;
      });
      const { refused = null, ...said } = await withBodyFile(
        raw,
        folder.scratch,
        settings.photoBytes + FORM_BYTES,
        tooLarge(settings.photoBytes),
        (path) => {
          arrived();
          return pool.ask(
            {
              kind: 'estimate',
              run: run.folder,
              cache: folder.cache,
              photo: { kind: 'form', path, contentType },
              facts: {},
            },
            'now',
            raw.signal,
          );
        },
      ).finally(arrived);
      return context.json({ ...estimateOf(said, run), refused }, 200);
    },
  );
  api.openAPIRegistry.definitions.forEach((definition) => {
    if (definition.type !== 'route' || definition.route.path !== '/api/estimate') return;
    // Described, and not read by the router: the form goes to the process that decodes the photo as it comes.
    definition.route.request = {
      ...definition.route.request,
      body: {
        required: true,
        content: {
          'multipart/form-data': {
            schema: z.object({
              photo: z.any().openapi({ type: 'string', format: 'binary', description: 'the photo’s file' }),
              frameAreaSquareMetres: FrameArea.optional(),
              height: z
                .number()
                .min(0)
                .max(TALLEST_SWARD)
                .optional()
                .describe('of the sward, cm; with heightMethod or not at all'),
              heightMethod: z
                .enum(HEIGHT_METHODS)
                .optional()
                .describe('what height was measured with; with height or not at all'),
            }),
          },
        },
      },
    };
  });
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/estimates',
      summary: 'Lists estimates of stored photos',
      request: { query: Part.extend({ photoId: Uuid.optional(), visitId: Uuid.optional() }) },
      responses: { 200: answer(partOf(Outcome), 'a part of the estimates, by id') },
    }),
    async (context) => {
      const { after, limit, photoId, visitId: named } = context.req.valid('query');
      const visitId = named && (await visitNow(db, named));
      const rows = await db
        .selectFrom('estimates')
        .innerJoin('photos', 'photos.id', 'estimates.photo_id')
        .select(['estimates.id', 'estimates.photo_id', 'estimates.body', 'estimates.problem'])
        .$if(after !== undefined, (rows) => rows.where('estimates.id', '>', after ?? ''))
        .$if(photoId !== undefined, (rows) => rows.where('photo_id', '=', photoId ?? ''))
        .$if(visitId !== undefined, (rows) => rows.where('photos.visit_id', '=', visitId ?? ''))
        .orderBy('estimates.id')
        .limit(limit + 1)
        .execute();
      const read = (row: (typeof rows)[number]): z.output<typeof Outcome> => ({
        id: row.id,
        photoId: row.photo_id,
        estimate: row.body === null ? null : stored<Estimate>(row.body),
        problem: row.problem,
      });
      return context.json(part(rows, limit, read), 200);
    },
  );
}
