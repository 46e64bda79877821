import { type Frame, ofColours } from './frame.ts';

/**
 * Vegetation indices from a colour photo, each bounded so that one odd pixel cannot carry a mean away. r, g
 * and b are chromaticities (each band over their sum), R, G and B the bands.
 *
 * - ExG = 2g − r − b (Woebbecke et al. 1995)
 * - ExGR = ExG − (1.4r − g) (Meyer and Neto 2008)
 * - GLI = (2G − R − B) / (2G + R + B) (Louhaichi et al. 2001)
 * - NGRDI = (G − R) / (G + R) (Tucker 1979)
 * - VARI = (G − R) / (G + R − B) (Gitelson et al. 2002)
 * - MGRVI = (G² − R²) / (G² + R²) (Bendig et al. 2015)
 * - CIVE = 0.441r − 0.811g + 0.385b (Kataoka et al. 2003, without its constant)
 * - NGBDI = (G − B) / (G + B)
 */
export const INDICES = {
  exg: { low: -1, high: 2, of: (_R, _G, _B, r, g, b) => 2 * g - r - b },
  exgr: { low: -2.4, high: 3, of: (_R, _G, _B, r, g, b) => 2 * g - r - b - 1.4 * r + g },
  gli: { low: -1, high: 1, of: (R, G, B) => (2 * G - R - B) / (2 * G + R + B + TINY) },
  ngrdi: { low: -1, high: 1, of: (R, G) => (G - R) / (G + R + TINY) },
  vari: { low: -1, high: 1, of: (R, G, B) => (G - R) / Math.max(0.02, G + R - B) },
  mgrvi: { low: -1, high: 1, of: (R, G) => (G * G - R * R) / (G * G + R * R + TINY) },
  cive: { low: -0.9, high: 0.5, of: (_R, _G, _B, r, g, b) => 0.441 * r - 0.811 * g + 0.385 * b },
  ngbdi: { low: -1, high: 1, of: (_R, G, B) => (G - B) / (G + B + TINY) },
} as const satisfies Record<string, VegetationIndex>;

export type IndexName = keyof typeof INDICES;

export const INDEX_NAMES = Object.keys(INDICES) as readonly IndexName[];

/** An index with the range its values are clamped to. */
export interface VegetationIndex {
  readonly low: number;
  readonly high: number;
  /** From the bands (0 to 1) and their chromaticities. */
  of(R: number, G: number, B: number, r: number, g: number, b: number): number;
}

/** Keeps quotients finite on black pixels. */
const TINY = 1e-3;

/** One index over a picture, clamped to its range. */
export function indexPlane(frame: Frame, name: IndexName): Float32Array {
  const index: VegetationIndex = INDICES[name];
  return ofColours(frame, (R, G, B) => {
    const sum = R + G + B;
    // A black pixel has no colour: its chromaticities are those of grey.
    const black = sum < 3 * TINY;
    const value = black
      ? index.of(1, 1, 1, 1 / 3, 1 / 3, 1 / 3)
      : index.of(R, G, B, R / sum, G / sum, B / sum);
    return Math.min(index.high, Math.max(index.low, value));
  });
}
