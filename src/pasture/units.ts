import { UsageError } from '../ground/errors.ts';

/** The competition's frame: 70 × 30 cm. */
export const QUADRAT_AREA_SQUARE_METRES = 0.21;

/** Frames that people cut, m²: from 10 × 10 cm to 2 × 2 m. */
export const [LEAST_FRAME, LARGEST_FRAME] = [0.01, 4] as const;

/** @throws UsageError for an area that no frame has, as one in cm² */
export function requireFrameArea(areaSquareMetres: number | undefined): void {
  const area = areaSquareMetres;
  if (area === undefined || (area >= LEAST_FRAME && area <= LARGEST_FRAME)) return;
  const inCentimetres = area / 10_000;
  const isMeant = inCentimetres >= LEAST_FRAME && inCentimetres <= LARGEST_FRAME;
  throw new UsageError(
    `area ${area}: frames have ${LEAST_FRAME} to ${LARGEST_FRAME} m²${
      isMeant ? `; if it is in cm², give ${inCentimetres}` : ', 0.25 for 50 × 50 cm'
    }`,
  );
}

const SQUARE_METRES_PER_HECTARE = 10_000;
const GRAMS_PER_KILOGRAM = 1_000;

/**
 * Dry mass on a frame as dry matter a hectare: g × 10 / m² (47.619 for the 0.21 m² quadrat).
 *
 * @param massGrams grams on the frame
 * @param areaSquareMetres area of the frame; default 70 × 30 cm
 * @returns kg DM/ha
 * @throws RangeError when the area is not a positive number
 */
export function gramsToKilogramsPerHectare(
  massGrams: number,
  areaSquareMetres: number = QUADRAT_AREA_SQUARE_METRES,
): number {
  return (massGrams / GRAMS_PER_KILOGRAM) * framesPerHectare(areaSquareMetres);
}

/** The inverse of {@link gramsToKilogramsPerHectare}. @throws RangeError when the area is not positive */
export function kilogramsPerHectareToGrams(
  kilogramsPerHectare: number,
  areaSquareMetres: number = QUADRAT_AREA_SQUARE_METRES,
): number {
  return (kilogramsPerHectare * GRAMS_PER_KILOGRAM) / framesPerHectare(areaSquareMetres);
}

function framesPerHectare(areaSquareMetres: number): number {
  if (!(areaSquareMetres > 0) || !Number.isFinite(areaSquareMetres)) {
    throw new RangeError(`frame area must be a positive number of square metres, not ${areaSquareMetres}`);
  }
  return SQUARE_METRES_PER_HECTARE / areaSquareMetres;
}
