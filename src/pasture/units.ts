/** The competition's frame: 70 × 30 cm. */
export const QUADRAT_AREA_SQUARE_METRES = 0.21;

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
