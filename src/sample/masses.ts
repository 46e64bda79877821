import type { Components } from '../pasture/targets.ts';

/**
 * Dry mass per projected area of what is drawn, in mg/cm² of the flat element (length × width).
 *
 * Laminae follow from the specific leaf areas of temperate pasture: perennial ryegrass 200–270 cm²/g and
 * white clover 250–320 cm²/g give 3.7–5 and 3.1–4 mg/cm²; coarser grasses are heavier. Round organs carry
 * their volume behind each cm² of silhouette: π/4 × diameter × dry density (0.10–0.15 g/cm³ in fresh sheaths
 * and petioles), 8–18 mg/cm² for 1–2 mm. Dead laminae have lost soluble matter but little area.
 */
export const SPECIFIC_MASS = {
  grassLamina: 4.6,
  grassSheath: 13,
  grassStem: 16,
  lucerneLamina: 5,
  lucerneStem: 18,
  cloverLamina: 3.7,
  cloverPetiole: 9,
  cloverStolon: 15,
  cloverFlower: 9,
  deadLamina: 4.2,
  deadStem: 11,
} as const;

/** One of the fractions a cut is sorted into. */
export type Fraction = 'green' | 'dead' | 'clover';

/** What was drawn inside the frame so far: dry milligrams and one-sided cm², hidden elements included. */
export interface Tally {
  readonly milligrams: Record<Fraction, number>;
  readonly squareCentimetres: Record<Fraction, number>;
}

export function emptyTally(): Tally {
  return {
    milligrams: { green: 0, dead: 0, clover: 0 },
    squareCentimetres: { green: 0, dead: 0, clover: 0 },
  };
}

/** Adds one element of `area` cm² at `specificMass` mg/cm². */
export function addToTally(tally: Tally, fraction: Fraction, area: number, specificMass: number): void {
  tally.milligrams[fraction] += area * specificMass;
  tally.squareCentimetres[fraction] += area;
}

/** The tally in grams a quadrat, to 0.1 mg, as a laboratory table has it. */
export function componentsOfTally(tally: Tally): Components {
  const grams = (fraction: Fraction): number => Math.round(tally.milligrams[fraction] * 10) / 10_000;
  return { green: grams('green'), dead: grams('dead'), clover: grams('clover') };
}
