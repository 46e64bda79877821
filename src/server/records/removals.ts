import { Refusal } from '../answers/refusal.ts';
import type { Database } from '../storage/database.ts';

/** What can be removed, as it is called. */
export type Removable = 'paddock' | 'visit' | 'photo' | 'cut';

/** Notes that something was removed: devices that were away learn of it, and what they send of it is refused. */
export async function noteRemoval(tx: Database, kind: Removable, id: string): Promise<void> {
  await tx
    .insertInto('removals')
    .values({ id, kind, removed_at: new Date().toISOString() })
    .onConflict((on) => on.column('id').doNothing())
    .execute();
}

/** Whether something was removed. */
export async function isRemoved(db: Database, id: string): Promise<boolean> {
  const row = await db.selectFrom('removals').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** @throws Refusal for what was removed: a device that was away does not bring it back */
export async function requireNotRemoved(db: Database, kind: Removable, id: string): Promise<void> {
  if (await isRemoved(db, id)) throw new Refusal(410, 'removed', `this ${kind} was removed by an owner`);
}
