import { group } from 'd3-array';
import { type SelectQueryBuilder, sql } from 'kysely';
import { z } from 'zod';
import { Cut, type CutEvent, cutHistory, cutResult, Source } from '../../farm/index.ts';
import { byMass } from '../../pasture/targets.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import type { Tables } from '../storage/tables.ts';

/** What a cut weighs, as it is shown. */
const Result = z.strictObject({
  dryMatter: z.number().nullable().describe('dry matter of the sub-sample, 0 to 1'),
  dryGrams: z.number().describe('of the whole frame'),
  kgDmPerHa: z.number(),
  masses: z
    .strictObject(byMass(() => z.number()))
    .nullable()
    .describe('grams on the frame; null until it is sorted'),
  frameAreaSquareMetres: z.number(),
  cuttingHeightCentimetres: z.number(),
  settled: z
    .boolean()
    .describe('whether the weight stayed, so that the cut corrects estimates and is trained on'),
  warnings: z.array(z.string()),
  source: Source,
  from: z.array(z.string()),
});

/** A cut with what its events come to. */
export const CutView = z.strictObject({
  ...Cut.shape,
  stage: z.string().describe('how far it is'),
  result: Result.nullable().describe('null until it is weighed dry'),
  refused: z
    .array(z.strictObject({ id: z.string(), message: z.string() }))
    .describe('events without effect, and why'),
});

/** What a cut's events come to. */
export function viewOf(cut: Cut): z.output<typeof CutView> {
  const { state, refused } = cutHistory(cut.events);
  const result = cutResult(state);
  return {
    ...cut,
    stage: state.stage,
    result: result && { ...result, warnings: [...result.warnings], from: [...result.from] },
    refused: [...refused],
  };
}

export type CutRows = SelectQueryBuilder<Tables, 'cuts', Tables['cuts']>;

/** Cuts with all their events, by id. @param narrow which cuts */
export async function listCuts(db: Database, narrow: (rows: CutRows) => CutRows): Promise<Cut[]> {
  const cuts = narrow(db.selectFrom('cuts').selectAll()).orderBy('id');
  const rows = await cuts.execute();
  const events = await db
    .selectFrom('cut_events')
    .select(['cut_id', 'body'])
    .where('cut_id', 'in', cuts.clearSelect().select('id'))
    .orderBy('position')
    .execute();
  const byCut = group(events, ({ cut_id }) => cut_id);
  return rows.map(({ id, visit_id, photo_id }) => ({
    id,
    visitId: visit_id,
    photoId: photo_id,
    events: (byCut.get(id) ?? []).map(({ body }) => stored<CutEvent>(body)),
  }));
}

/** How large cuts with their events are, bytes, by id. */
export async function cutSizes(
  db: Database,
  narrow: (rows: CutRows) => CutRows,
): Promise<{ readonly bytes: number }[]> {
  const own = sql<number>`coalesce((select sum(length(body)) from cut_events where cut_id = cuts.id), 0)`;
  return narrow(db.selectFrom('cuts').selectAll()).select(own.as('bytes')).orderBy('id').execute();
}

/** The cut of an id; null where there is none. */
export async function findCut(db: Database, id: string): Promise<Cut | null> {
  const [cut] = await listCuts(db, (rows) => rows.where('id', '=', id));
  return cut ?? null;
}
