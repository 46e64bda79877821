/** One of the fractions a cut is sorted into. */
export type Fraction = 'green' | 'dead' | 'clover';

/**
 * The fraction of each organ, and its dry mass per projected area of what is drawn, in mg/cm² of the flat element
 * (length × width).
 *
 * Laminae follow from the specific leaf areas of temperate pasture: perennial ryegrass 200–270 cm²/g and
 * white clover 250–320 cm²/g give 3.7–5 and 3.1–4 mg/cm²; coarser grasses are heavier. Round organs carry
 * their volume behind each cm² of silhouette: π/4 × diameter × dry density (0.10–0.15 g/cm³ in fresh sheaths
 * and petioles), 8–18 mg/cm² for 1–2 mm. Dead laminae have lost soluble matter but little area.
 */
export const ORGANS = {
  grassLamina: ['green', 4.6],
  grassSheath: ['green', 13],
  grassStem: ['green', 16],
  lucerneLamina: ['green', 5],
  lucerneStem: ['green', 18],
  cloverLamina: ['clover', 3.7],
  cloverPetiole: ['clover', 9],
  cloverStolon: ['clover', 15],
  cloverFlower: ['clover', 9],
  deadLamina: ['dead', 4.2],
  deadStem: ['dead', 11],
} as const satisfies Readonly<Record<string, readonly [Fraction, number]>>;

export type Organ = keyof typeof ORGANS;
