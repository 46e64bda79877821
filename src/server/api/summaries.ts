import { z } from '@hono/zod-openapi';
import {
  adultEquivalent,
  Calibration,
  CuttingHeight,
  DSE,
  Figure,
  feedBudget,
  feedOnOffer,
  Paddock,
  RunReference,
  Source,
  Uuid,
  Visit,
} from '../../farm/index.ts';
import { byMass } from '../../pasture/targets.ts';
import { found, Refusal } from '../answers/refusal.ts';
import { visitNow } from '../records/joined-visits.ts';
import type { Farm } from '../services/farm.ts';
import { stored } from '../storage/stored.ts';
import { CalibrationRequest, MadeCalibration, makeCalibration } from '../summaries/calibrate.ts';
import { visitSummary } from '../summaries/visit-summary.ts';
import { type Api, answer, ById, body, route } from './route.ts';

const Mean = z.strictObject({
  mean: z.number().describe('kg DM/ha'),
  interval: z.strictObject({ coverage: z.number(), low: z.number(), high: z.number() }).nullable(),
  standardError: z.number().nullable(),
  spread: z.number().nullable(),
  frames: z.int(),
  cuts: z.int(),
  paired: z.int().describe('cuts of frames that were photographed first'),
  method: z.enum(['photos', 'photos-and-cuts', 'regression', 'cuts']),
  source: Source,
  from: z.array(z.string()).readonly(),
});

const Effort = z.strictObject({ kind: z.string(), more: z.int(), photosBesides: z.int(), says: z.string() });

const Summary = z.strictObject({
  visit: Visit,
  paddock: Paddock,
  run: RunReference.nullable(),
  photos: z.int(),
  pending: z.int().describe('photos that wait for their estimate'),
  byOthers: z.int().describe('photos that other runs alone have answered; they have no part in the means'),
  unusable: z.int().describe('photos that the run could not answer'),
  unfinishedCuts: z.int(),
  cuttingHeightCentimetres: CuttingHeight.nullable(),
  kgDmPerHa: z.strictObject(byMass(() => Mean.nullable())),
  hectares: Figure.nullable(),
  paddockTotal: Figure.nullable(),
  effort: z.strictObject({ tenPercent: Effort, twentyPercent: Effort }).nullable(),
  worth: z.array(z.strictObject({ work: z.string(), before: z.number(), after: z.number() })).readonly(),
  calibration: Calibration.nullable(),
  warnings: z.array(z.string()).readonly(),
});

const Days = z.union([
  z.strictObject({ kind: z.literal('days'), days: z.number() }),
  z.strictObject({ kind: z.literal('growth-meets-demand') }),
]);

const Budget = z.strictObject({
  visitId: Uuid,
  days: Days,
  low: Days.nullable(),
  high: Days.nullable(),
  netDemand: z.number().describe('kg DM a day'),
  available: z.number().describe('kg DM'),
  definitions: z.array(z.string()).readonly(),
  source: Source,
  from: z.array(z.string()).readonly(),
});

const number = (description: string) => z.coerce.number().describe(description);

const BudgetQuestion = z.object({
  visitId: Uuid.optional().describe('default: the last visit of the paddock'),
  head: number('animals').pipe(z.number().min(0).max(1_000_000)),
  unitsPerHead: number('stock units a head').pipe(z.number().gt(0).max(1000)).default(1),
  unit: z.enum(['DSE', 'AE']).default('DSE'),
  productivity: z.enum(['low', 'moderate', 'high']).default('moderate').describe('of the country, for AE'),
  residual: number('kg DM/ha that are left standing; this or utilisation').pipe(z.number().min(0)).optional(),
  utilisation: number('share that is eaten; this or residual').pipe(z.number().gt(0).max(1)).optional(),
  growth: number('kg DM/ha a day').pipe(z.number().min(-1000).max(1000)).default(0),
  supplement: number('kg DM a day for all').pipe(z.number().min(0)).default(0),
});

/** Summaries of visits and paddocks, and calibrations. */
export function addSummaries(api: Api, { db, runs }: Farm): void {
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/visits/{id}/summary',
      summary:
        'Says what a visit tells of its paddock: means with intervals, what they were made of, and what more work would bring',
      request: { params: ById },
      responses: {
        200: answer(Summary, 'the summary; every figure says whether it is measured or modelled'),
      },
    }),
    async (context) => {
      const summary = await visitSummary(db, runs, await visitNow(db, context.req.valid('param').id));
      return context.json(summary, 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/paddocks/{id}/feed-budget',
      summary: 'Says how many days a paddock feeds a mob',
      request: { params: ById, query: BudgetQuestion },
      responses: { 200: answer(Budget, 'the days, with the definition of the stock unit') },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { visitId, head, unitsPerHead, unit, productivity, residual, utilisation, growth, supplement } =
        context.req.valid('query');
      if ((residual === undefined) === (utilisation === undefined)) {
        throw new Refusal(400, 'bad-request', 'give residual or utilisation, one of the two');
      }
      const named = visitId && (await visitNow(db, visitId));
      const last = await db
        .selectFrom('visits')
        .select('id')
        .where('paddock_id', '=', id)
        .$if(named !== undefined, (rows) => rows.where('id', '=', named ?? ''))
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      const visit = found(last, 'paddock with a visit');
      const { kgDmPerHa, hectares, cuttingHeightCentimetres, warnings } = await visitSummary(
        db,
        runs,
        visit.id,
      );
      const { total } = kgDmPerHa;
      if (!total) {
        throw new Refusal(
          422,
          'no-mean',
          ['nothing tells yet how much stands in this paddock', ...warnings].join('; '),
        );
      }
      if (!hectares)
        throw new Refusal(
          422,
          'no-size',
          'the size of this paddock is not known; give its hectares or draw it',
        );
      const budget = feedBudget({
        ...feedOnOffer(total, cuttingHeightCentimetres),
        hectares,
        leave:
          residual === undefined
            ? { kind: 'utilisation', share: utilisation ?? 0 }
            : { kind: 'residual', kgDmPerHa: residual },
        growth,
        supplement,
        head,
        unitsPerHead,
        unit: unit === 'DSE' ? DSE : adultEquivalent(productivity),
      });
      return context.json({ visitId: visit.id, ...budget }, 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/calibrations',
      summary: 'Lists the calibrations that were made, the newest first',
      responses: { 200: answer(z.strictObject({ items: z.array(MadeCalibration) }), 'the last 100') },
    }),
    async (context) => {
      const rows = await db
        .selectFrom('calibrations')
        .select('body')
        .orderBy('made_at', 'desc')
        .limit(100)
        .execute();
      return context.json({ items: rows.map(({ body }) => stored<MadeCalibration>(body)) }, 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'post',
      path: '/api/calibrations',
      summary: 'Calibrates the farm’s run by its own cuts',
      description:
        'It is applied to visits without cuts of their own, where leaving out visits shows that it helps.',
      request: { body: body(CalibrationRequest) },
      responses: { 200: answer(MadeCalibration, 'the calibration, with its errors before and after') },
    }),
    async (context) => context.json(await makeCalibration(db, runs, context.req.valid('json')), 200),
  );
}
