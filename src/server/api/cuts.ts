import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Cut, CutEvent, MOST_EVENTS, Uuid, withEvent } from '../../farm/index.ts';
import { conflict, found, Refusal } from '../answers/refusal.ts';
import { type CutRows, CutView, cutSizes, findCut, listCuts, viewOf } from '../cuts/stored-cut.ts';
import { visitNow } from '../records/joined-visits.ts';
import { isRemoved, noteRemoval, requireNotRemoved } from '../records/removals.ts';
import type { Farm } from '../services/farm.ts';
import type { Database } from '../storage/database.ts';
import { fitting, Part, part, partOf } from './listing.ts';
import { type Api, answer, ById, body, route } from './route.ts';

/** `/api/cuts`. */
export function addCuts(api: Api, { db }: Farm): void {
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/cuts',
      summary: 'Lists cuts with how far they are and what they weigh',
      request: { query: Part.extend({ visitId: Uuid.optional() }) },
      responses: { 200: answer(partOf(CutView), 'a part of the cuts, by id') },
    }),
    async (context) => {
      const { after, limit, visitId: named } = context.req.valid('query');
      const visitId = named && (await visitNow(db, named));
      const narrow = (rows: CutRows): CutRows =>
        rows
          .$if(after !== undefined, (some) => some.where('id', '>', after ?? ''))
          .$if(visitId !== undefined, (some) => some.where('visit_id', '=', visitId ?? ''));
      const most = fitting(await cutSizes(db, (rows) => narrow(rows).limit(limit)));
      const cuts = await listCuts(db, (rows) => narrow(rows).limit(most + 1));
      return context.json(part(cuts, most, viewOf), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/cuts/{id}',
      summary: 'Reads a cut',
      request: { params: ById },
      responses: { 200: answer(CutView, 'the cut') },
    }),
    async (context) => {
      const cut = found(await findCut(db, context.req.valid('param').id), 'cut');
      return context.json(viewOf(cut), 200);
    },
  );
  api.openapi(
    route('recorder', {
      method: 'put',
      path: '/api/cuts/{id}',
      summary: 'Begins a cut, or adds events to one',
      description:
        'Events that are there already change nothing, none is ever removed, and those that fit no step are refused. A ' +
        'device may so send all that it knows of a cut, as often as it likes.',
      request: { params: ById, body: body(Cut) },
      responses: { 200: answer(CutView, 'the cut with all events that are known of it') },
    }),
    async (context) => {
      const sent = context.req.valid('json');
      const { id } = context.req.valid('param');
      if (sent.id !== id) throw conflict('the cut in the body has another id than the address');
      const cut = await withEvents(db, id, sent.events, async (tx) => {
        await requireNotRemoved(tx, 'cut', id);
        if (await isRemoved(tx, sent.visitId)) throw conflict('the visit of this cut was removed');
        const isPhotoGone = sent.photoId !== null && (await isRemoved(tx, sent.photoId));
        const row = {
          visit_id: await visitNow(tx, sent.visitId),
          photo_id: isPhotoGone ? null : sent.photoId,
        };
        await tx
          .insertInto('cuts')
          .values({ id, ...row })
          .onConflict((on) => on.column('id').doUpdateSet(row))
          .execute();
      });
      return context.json(viewOf(cut), 200);
    },
  );
  api.openapi(
    route('recorder', {
      method: 'post',
      path: '/api/cuts/{id}/events',
      summary: 'Adds one event to a cut',
      request: { params: ById, body: body(CutEvent) },
      responses: { 200: answer(CutView, 'the cut, with the event once however often it is sent') },
    }),
    async (context) => {
      const event = context.req.valid('json');
      const { id } = context.req.valid('param');
      found(await findCut(db, id), 'cut');
      const cut = await withEvents(db, id, [event]);
      return context.json(viewOf(cut), 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: '/api/cuts/{id}',
      summary: 'Removes a cut with all its events',
      request: { params: ById },
      responses: { 204: { description: 'it is gone' } },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      await db.transaction().execute(async (tx) => {
        if (await findCut(tx, id)) await noteRemoval(tx, 'cut', id);
        await tx.deleteFrom('cuts').where('id', '=', id).execute();
      });
      return context.body(null, 204);
    },
  );
}

/**
 * Keeps a cut with more events; those that it has already change nothing. Events are checked before the transaction, which
 * would keep all others from the database meanwhile; where another device has added some since, they are checked again,
 * so that two cannot both take a step that only one can.
 *
 * @param write what is to be written with them
 * @throws UsageError for an event that fits no step
 */
async function withEvents(
  db: Database,
  id: string,
  added: readonly CutEvent[],
  write: (tx: Database) => Promise<void> = async () => {},
): Promise<Cut> {
  for (;;) {
    const before = (await findCut(db, id))?.events ?? [];
    const { events, fresh } = await checked(before, added);
    const kept = await db.transaction().execute(async (tx) => {
      await write(tx);
      const cut = found(await findCut(tx, id), 'cut');
      if (!isDeepStrictEqual(cut.events, before)) return null;
      if (fresh.length > 0) {
        const rows = fresh.map((event) => ({ id: event.id, cut_id: id, body: JSON.stringify(event) }));
        await tx.insertInto('cut_events').values(rows).execute();
      }
      return { ...cut, events };
    });
    if (kept) return kept;
  }
}

async function checked(
  before: readonly CutEvent[],
  added: readonly CutEvent[],
): Promise<{ events: CutEvent[]; fresh: CutEvent[] }> {
  let events = [...before];
  const fresh: CutEvent[] = [];
  for (const event of added) {
    // Each event is checked against all before it; requests of others are answered in between.
    await setImmediate();
    if (!events.some(({ id }) => id === event.id)) fresh.push(event);
    if (before.length + fresh.length > MOST_EVENTS) {
      throw new Refusal(422, 'too-many', `a cut has at most ${MOST_EVENTS} events; begin another cut`);
    }
    events = withEvent(events, event);
  }
  return { events, fresh };
}
