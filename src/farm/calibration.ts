import { z } from 'zod';
import { MASS_NAMES } from '../pasture/targets.ts';
import { RunReference } from './estimate.ts';
import { CuttingHeight } from './frame.ts';

/** How far estimates lay from cuts, kg DM/ha. */
const CalibrationErrors = z.strictObject({
  rmse: z.number().min(0).describe('of cuts of a visit that had no part in the calibration, kg DM/ha'),
  bias: z.number().describe('mean of estimate − cut of the same, kg DM/ha'),
});

/** How a run's estimates are corrected by a farm's own cuts: offset + slope × estimate. */
export const Calibration = z.strictObject({
  run: RunReference,
  mass: z.enum(MASS_NAMES),
  cuttingHeightCentimetres: CuttingHeight,
  offset: z.number().describe('kg DM/ha; 0 changes nothing'),
  slope: z.number().describe('1 changes nothing'),
  cuts: z.int().min(0),
  visits: z.int().min(0),
  cutsOfOtherHeights: z.int().min(0).describe('left out: cut at another height'),
  state: z
    .enum(['report-only', 'provisional', 'no-better', 'applied'])
    .describe(
      'report-only: too few cuts; provisional: cuts of one visit only; no-better: visits left out were not nearer; applied',
    ),
  before: CalibrationErrors.nullable().describe('of the run as it is; null without cuts'),
  after: CalibrationErrors.nullable().describe('null with fewer than two visits, where none can be left out'),
  says: z.string().describe('the same in a sentence'),
});
export type Calibration = z.output<typeof Calibration>;
