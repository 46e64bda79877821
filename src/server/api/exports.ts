import { Readable } from 'node:stream';
import { z } from '@hono/zod-openapi';
import { sum } from 'd3-array';
import { Refusal } from '../answers/refusal.ts';
import { cutsCsv, farmGeoJson, photosCsv, visitsCsv } from '../exports/tables.ts';
import { trainingFolder } from '../exports/training-folder.ts';
import { zipped } from '../exports/zip-stream.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, route } from './route.ts';

/** A zip of the format that is written ends here. */
const ZIP_BYTES = 4 * 2 ** 30 - 2 ** 24;

/** `/api/exports`. */
export function addExports(api: Api, { db, photos, runs }: Farm): void {
  const add = (
    name: string,
    type: string,
    summary: string,
    contents: () => AsyncIterable<string | Uint8Array> | Promise<AsyncIterable<Uint8Array>>,
  ): void => {
    api.openapi(
      route('viewer', {
        method: 'get',
        path: `/api/exports/${name}`,
        summary,
        responses: { 200: { description: 'the file', content: { [type]: { schema: z.string() } } } },
      }),
      async (context) => {
        const stream = Readable.toWeb(Readable.from(await contents())) as ReadableStream;
        return context.body(stream, 200, {
          'Content-Type': type,
          'Content-Disposition': `attachment; filename="${name}"`,
        });
      },
    );
  };
  add('visits.csv', 'text/csv; charset=utf-8', 'Visits as a table, with the means of their paddocks', () =>
    visitsCsv(db, runs),
  );
  add(
    'photos.csv',
    'text/csv; charset=utf-8',
    'Photos as a table, with what runs say of each, uncorrected',
    () => photosCsv(db),
  );
  add('cuts.csv', 'text/csv; charset=utf-8', 'Cuts as a table', () => cutsCsv(db));
  add('farm.geojson', 'application/geo+json', 'Paddocks and photos for a map', () => farmGeoJson(db, runs));
  add(
    'data.zip',
    'application/zip',
    'Photos with their cuts, as a data folder that sward train takes',
    async () => {
      const { table, photos: files } = await trainingFolder(db);
      if (sum(files, ({ bytes }) => bytes) > ZIP_BYTES) {
        throw new Refusal(
          413,
          'too-large',
          'these photos do not fit into a zip; sward serve export writes the folder itself',
        );
      }
      return zipped([
        { name: 'train.csv', text: table },
        ...files.map(({ path, sha256 }) => ({ name: path, file: photos.pathOf(sha256) })),
      ]);
    },
  );
}
