import type { z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import { Paddock, Uuid, Visit } from '../../farm/index.ts';
import { conflict, found } from '../answers/refusal.ts';
import type { Farm } from '../services/farm.ts';
import { stored } from '../storage/stored.ts';
import { fitting, Part, part, partOf } from './listing.ts';
import { type Api, answer, ById, body, route } from './route.ts';

type FarmRecord = Paddock | Visit;

/** A kind of record that devices make and change as a whole. */
interface RecordKind {
  readonly table: 'paddocks' | 'visits';
  /** What one is called. */
  readonly one: string;
  readonly schema: z.ZodType<FarmRecord>;
  /** Columns beside the record that it is found by. */
  readonly columns: (record: FarmRecord) => Readonly<Record<string, string>>;
  /** The query that a list may be narrowed by, and its column. */
  readonly by?: { readonly query: string; readonly column: string };
}

/** `/api/paddocks`. */
export const addPaddocks = (api: Api, farm: Farm): void =>
  addRecords(api, farm, { table: 'paddocks', one: 'paddock', schema: Paddock, columns: () => ({}) });

/** `/api/visits`. */
export const addVisits = (api: Api, farm: Farm): void =>
  addRecords(api, farm, {
    table: 'visits',
    one: 'visit',
    schema: Visit,
    columns: (record) =>
      'paddockId' in record
        ? { paddock_id: record.paddockId, started_at: new Date(record.startedAt).toISOString() }
        : {},
    by: { query: 'paddockId', column: 'paddock_id' },
  });

/** Lists, reads, puts and removes records. Putting makes or replaces, so that sending again changes nothing. */
function addRecords(api: Api, { db }: Farm, { table, one, schema, columns, by }: RecordKind): void {
  const path = `/api/${table}` as const;
  // Both tables have the columns that are used here.
  const asTable = table as 'paddocks';
  const read = (row: { readonly body: string }): FarmRecord => stored<FarmRecord>(row.body);
  const Query = (by ? Part.extend({ [by.query]: Uuid.optional() }) : Part) as typeof Part;
  api.openapi(
    route('viewer', {
      method: 'get',
      path,
      summary: `Lists ${table}`,
      request: { query: Query },
      responses: { 200: answer(partOf(schema), `a part of the ${table}, by id`) },
    }),
    async (context) => {
      const { after, limit } = context.req.valid('query');
      const only = by && context.req.query(by.query);
      const some = db
        .selectFrom(asTable)
        .$if(after !== undefined, (rows) => rows.where('id', '>', after ?? ''))
        .$if(only !== undefined, (rows) => rows.where(by?.column as 'id', '=', only ?? ''))
        .orderBy('id');
      const sizes = await some.select(sql<number>`length(body)`.as('bytes')).limit(limit).execute();
      const most = fitting(sizes);
      const rows = await some
        .selectAll()
        .limit(most + 1)
        .execute();
      return context.json(part(rows, most, read), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: `${path}/{id}`,
      summary: `Reads a ${one}`,
      request: { params: ById },
      responses: { 200: answer(schema, `the ${one}`) },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const row = await db.selectFrom(asTable).selectAll().where('id', '=', id).executeTakeFirst();
      return context.json(read(found(row, one)), 200);
    },
  );
  api.openapi(
    route('recorder', {
      method: 'put',
      path: `${path}/{id}`,
      summary: `Makes or replaces a ${one}`,
      description: 'The id is made by the device, so that sending it again makes no second one.',
      request: { params: ById, body: body(schema) },
      responses: { 200: answer(schema, `the ${one} as it is kept`) },
    }),
    async (context) => {
      const record = context.req.valid('json');
      const { id } = context.req.valid('param');
      if (record.id !== id) throw conflict(`the ${one} in the body has another id than the address`);
      const row = { body: JSON.stringify(record), ...columns(record) };
      await db
        .insertInto(asTable)
        .values({ id, ...row })
        .onConflict((on) => on.column('id').doUpdateSet(row))
        .execute();
      return context.json(record, 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: `${path}/{id}`,
      summary: `Removes a ${one} that nothing names`,
      request: { params: ById },
      responses: { 204: { description: 'it is gone' } },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      await db.deleteFrom(asTable).where('id', '=', id).execute();
      return context.body(null, 204);
    },
  );
}
