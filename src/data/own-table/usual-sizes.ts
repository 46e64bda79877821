import { HEIGHT_UNITS, type HeightUnit } from '../../pasture/covariates.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { isUsualHeight, isUsualMass, isUsualNdvi } from '../usual-sizes.ts';
import { type ColumnRole, gramsOf, type MassUnit } from './roles.ts';

/**
 * Whether a number is usual of what a column holds; undefined of columns that may hold any.
 *
 * @param unit null: nobody said; masses may be grams on the frame or kg/ha then
 * @param area of the frame, m²
 */
export function usualOf(
  role: ColumnRole | null,
  unit: MassUnit | HeightUnit | null,
  area: number = QUADRAT_AREA_SQUARE_METRES,
): ((value: number) => boolean) | undefined {
  const masses: readonly (ColumnRole | null)[] = [...MASS_NAMES, 'value'];
  if (masses.includes(role)) {
    const units: readonly MassUnit[] = unit === null ? ['g', 'kg/ha'] : [unit as MassUnit];
    return (value) => units.some((one) => isUsualMass(gramsOf(value, one, area), area));
  }
  if (role === 'height') return (value) => isUsualHeight(value * HEIGHT_UNITS[(unit ?? 'cm') as HeightUnit]);
  return role === 'ndvi' ? isUsualNdvi : undefined;
}
