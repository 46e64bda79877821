import type { z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import { Paddock, Uuid, Visit } from '../../farm/index.ts';
import { conflict, found } from '../answers/refusal.ts';
import { joinVisits, visitNow } from '../records/joined-visits.ts';
import { noteRemoval, requireNotRemoved } from '../records/removals.ts';
import { edited, editedRow, fieldEdits, timesOfWhole } from '../records/stored-edits.ts';
import type { Farm } from '../services/farm.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { fitting, Part, part, partOf } from './listing.ts';
import { type Api, answer, ById, body, route } from './route.ts';

type FarmRecord = Paddock | Visit;

/** A kind of record that devices make and change as a whole. */
interface RecordKind {
  readonly table: 'paddocks' | 'visits';
  /** What one is called. */
  readonly one: 'paddock' | 'visit';
  readonly schema: typeof Paddock | typeof Visit;
  /** Columns beside the record that it is found by. */
  readonly columns: (record: FarmRecord) => Readonly<Record<string, string>>;
  /** The query that a list may be narrowed by, and its column. */
  readonly by?: { readonly query: string; readonly column: string };
  /** The id that one goes by now. */
  readonly now?: (db: Database, id: string) => Promise<string>;
  /** What is done once one is written. */
  readonly settle?: (tx: Database, record: FarmRecord) => Promise<void>;
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
    now: visitNow,
    settle: async (tx, record) => {
      if ('paddockId' in record) await joinVisits(tx, record.paddockId);
    },
  });

/** Lists, reads, puts and removes records. Putting makes or replaces, so that sending again changes nothing. */
function addRecords(
  api: Api,
  { db }: Farm,
  { table, one, schema: kind, columns, by, now = async (_, id) => id, settle = async () => {} }: RecordKind,
): void {
  const schema: z.ZodType<FarmRecord> = kind;
  const path = `/api/${table}` as const;
  // Both tables have the columns that are used here.
  const asTable = table as 'paddocks';
  const read = (row: { readonly body: string }): FarmRecord => stored<FarmRecord>(row.body);
  const rowOf = async (some: Database, id: string) =>
    some
      .selectFrom(asTable)
      .selectAll()
      .where('id', '=', await now(some, id))
      .executeTakeFirst();
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
      return context.json(read(found(await rowOf(db, id), one)), 200);
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
      const kept = await db.transaction().execute(async (tx) => {
        await requireNotRemoved(tx, one, id);
        const known = await rowOf(tx, id);
        // One that is part of another now was there before.
        if (known && known.id !== id) return known;
        const changed = timesOfWhole(known, record);
        const row = { body: JSON.stringify(record), changed, ...columns(record) };
        await tx
          .insertInto(asTable)
          .values({ id, ...row })
          .onConflict((on) => on.column('id').doUpdateSet(row))
          .execute();
        await settle(tx, record);
        return found(await rowOf(tx, id), one);
      });
      return context.json(read(kept), 200);
    },
  );
  api.openapi(
    route('recorder', {
      method: 'patch',
      path: `${path}/{id}`,
      summary: `Changes single fields of a ${one}`,
      description:
        'What two devices change of different fields is both kept; of one field that both have changed, the later change.',
      request: { params: ById, body: body(fieldEdits(kind.shape)) },
      responses: { 200: answer(edited(schema), `the ${one} as it is kept`) },
    }),
    async (context) => {
      const edits = context.req.valid('json');
      const { id } = context.req.valid('param');
      const answered = await db.transaction().execute(async (tx) => {
        await requireNotRemoved(tx, one, id);
        const row = found(await rowOf(tx, id), one);
        const { record, times, contested } = editedRow<FarmRecord>(row, edits);
        await tx
          .updateTable(asTable)
          .set({ body: JSON.stringify(record), changed: JSON.stringify(times), ...columns(record) })
          .where('id', '=', row.id)
          .execute();
        await settle(tx, record);
        return { record: read(found(await rowOf(tx, id), one)), contested };
      });
      return context.json(answered, 200);
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
      await db.transaction().execute(async (tx) => {
        const row = await rowOf(tx, id);
        if (!row) return;
        if (table === 'visits') {
          const parts = await tx
            .selectFrom('joined_visits')
            .select('id')
            .where('visit_id', '=', row.id)
            .execute();
          for (const part of parts) await noteRemoval(tx, one, part.id);
        }
        await noteRemoval(tx, one, row.id);
        await tx.deleteFrom(asTable).where('id', '=', row.id).execute();
      });
      return context.body(null, 204);
    },
  );
}
