import { sql } from 'kysely';
import { instantOf, SAME_VISIT_MILLISECONDS, type Visit } from '../../farm/index.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { isRemoved } from './removals.ts';

/** The id that a visit goes by now: that of the one it is part of, else its own. */
export async function visitNow(db: Database, id: string): Promise<string> {
  const row = await db.selectFrom('joined_visits').select('visit_id').where('id', '=', id).executeTakeFirst();
  return row?.visit_id ?? id;
}

/** The visit that a photo is kept under: none where the one that it names was removed. */
export async function visitOfPhoto(db: Database, id: string | null): Promise<string | null> {
  if (id === null || (await isRemoved(db, id))) return null;
  return visitNow(db, id);
}

interface Begun {
  readonly id: string;
  readonly visitId: string;
  readonly startedAt: string;
}

/**
 * Makes one of visits of a paddock that began within 12 hours of each other, as two devices make them that know nothing
 * of each other: the earliest, with the photos and cuts of all. Whichever comes first, the outcome is the same.
 *
 * @param paddockId absent: of every paddock
 */
export async function joinVisits(tx: Database, paddockId?: string): Promise<void> {
  const paddocks = await tx
    .selectFrom('visits')
    .select('paddock_id')
    .distinct()
    .$if(paddockId !== undefined, (rows) => rows.where('paddock_id', '=', paddockId ?? ''))
    .execute();
  for (const { paddock_id } of paddocks) {
    for (const visits of together(await begunIn(tx, paddock_id))) {
      const [first, ...others] = visits.filter(({ id, visitId }) => id === visitId);
      for (const other of first ? others : []) await joinTo(tx, other, first as Begun);
    }
  }
}

/** Visits of a paddock and those that are part of them, in the order they began in. */
async function begunIn(tx: Database, paddockId: string): Promise<Begun[]> {
  return tx
    .selectFrom('visits')
    .where('paddock_id', '=', paddockId)
    .select(['id', 'id as visitId', 'started_at as startedAt'])
    .unionAll(
      tx
        .selectFrom('joined_visits')
        .innerJoin('visits', 'visits.id', 'joined_visits.visit_id')
        .where('paddock_id', '=', paddockId)
        .select(['joined_visits.id', 'visit_id as visitId', 'joined_visits.started_at as startedAt']),
    )
    .orderBy('startedAt')
    .orderBy('id')
    .execute();
}

function together(begun: readonly Begun[]): Begun[][] {
  const groups: Begun[][] = [];
  for (const visit of begun) {
    const before = groups.at(-1)?.at(-1);
    const isSame =
      before && instantOf(visit.startedAt) - instantOf(before.startedAt) < SAME_VISIT_MILLISECONDS;
    if (isSame) groups.at(-1)?.push(visit);
    else groups.push([visit]);
  }
  return groups;
}

async function joinTo(tx: Database, other: Begun, first: Begun): Promise<void> {
  const moved = { visit_id: first.id };
  await tx
    .updateTable('photos')
    .set({ ...moved, body: sql`json_set(body, '$.visitId', ${first.id})` })
    .where('visit_id', '=', other.id)
    .execute();
  await tx.updateTable('cuts').set(moved).where('visit_id', '=', other.id).execute();
  await tx.updateTable('joined_visits').set(moved).where('visit_id', '=', other.id).execute();
  await tx
    .insertInto('joined_visits')
    .values({
      id: other.id,
      visit_id: first.id,
      started_at: other.startedAt,
      joined_at: new Date().toISOString(),
    })
    .execute();
  await joinNotes(tx, other.id, first.id);
  await tx.deleteFrom('visits').where('id', '=', other.id).execute();
}

/** What was noted of either is noted of the one. */
async function joinNotes(tx: Database, other: string, first: string): Promise<void> {
  const read = async (id: string): Promise<Visit> =>
    stored<Visit>(
      (await tx.selectFrom('visits').select('body').where('id', '=', id).executeTakeFirstOrThrow()).body,
    );
  const [{ note }, visit] = [await read(other), await read(first)];
  if (note === '' || visit.note.includes(note)) return;
  const both = [visit.note, note].filter((text) => text !== '').join('\n');
  const body = JSON.stringify({ ...visit, note: both.slice(0, 2000) });
  await tx.updateTable('visits').set({ body }).where('id', '=', first).execute();
}
