import { TALLEST_SWARD } from '../pasture/covariates.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';

/** Whether dry matter of cuts is usual, kg/ha: from a little clover in short pasture to a crop of hay. */
export const isUsualYield = (kilogramsPerHectare: number): boolean =>
  kilogramsPerHectare >= 20 && kilogramsPerHectare <= 20_000;

/** Whether a mass is usual, grams on the frame. */
export const isUsualMass = (grams: number, area: number = QUADRAT_AREA_SQUARE_METRES): boolean =>
  isUsualYield(gramsToKilogramsPerHectare(grams, area));

/** Whether a sward's height is usual, cm. */
export const isUsualHeight = (centimetres: number): boolean =>
  centimetres >= 0.5 && centimetres <= TALLEST_SWARD;

/** Whether an NDVI is possible. */
export const isUsualNdvi = (value: number): boolean => Math.abs(value) <= 1;
