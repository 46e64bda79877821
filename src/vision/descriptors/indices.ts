import type { Frame } from './frame.ts';

/**
 * Vegetation indices from a colour photo with the ranges they are clamped to, so that one odd pixel cannot carry a
 * mean away. r, g and b are chromaticities (each band over their sum), R, G and B the bands.
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
  exg: { low: -1, high: 2 },
  exgr: { low: -2.4, high: 3 },
  gli: { low: -1, high: 1 },
  ngrdi: { low: -1, high: 1 },
  vari: { low: -1, high: 1 },
  mgrvi: { low: -1, high: 1 },
  cive: { low: -0.9, high: 0.5 },
  ngbdi: { low: -1, high: 1 },
} as const;

export type IndexName = keyof typeof INDICES;

export const INDEX_NAMES = Object.keys(INDICES) as readonly IndexName[];

/** The two indices that tell leaf from everything else. */
type LeafIndex = 'exg' | 'ngrdi';

/** One index a plane. */
export type IndexPlanes<Name extends IndexName> = Readonly<Record<Name, Float32Array>>;

/** Keeps quotients finite on black pixels. */
const TINY = 1e-3;

/** Excess green and NGRDI over a picture. */
export function leafIndices(frame: Frame): IndexPlanes<LeafIndex> {
  const { red, green, blue } = frame;
  const exg = new Float32Array(red.length);
  const ngrdi = new Float32Array(red.length);
  for (let i = 0; i < exg.length; i++) {
    const R = red[i] as number;
    const G = green[i] as number;
    const B = blue[i] as number;
    const sum = R + G + B;
    // A black pixel has no colour: its chromaticities are those of grey, of which both indices are 0.
    if (sum < 3 * TINY) continue;
    exg[i] = clamped((2 * G - R - B) / sum, INDICES.exg);
    ngrdi[i] = clamped((G - R) / (G + R + TINY), INDICES.ngrdi);
  }
  return { exg, ngrdi };
}

/** All other indices over a picture, in one pass: written out, as calling one function each costs five times as much. */
export function otherIndices(frame: Frame): IndexPlanes<Exclude<IndexName, LeafIndex>> {
  const count = frame.red.length;
  const make = (): Float32Array => new Float32Array(count);
  const [exgr, gli, vari, mgrvi, cive, ngbdi] = [make(), make(), make(), make(), make(), make()];
  for (let i = 0; i < count; i++) {
    let R = frame.red[i] as number;
    let G = frame.green[i] as number;
    let B = frame.blue[i] as number;
    if (R + G + B < 3 * TINY) R = G = B = 1;
    const sum = R + G + B;
    const perSum = 1 / sum;
    const r = R * perSum;
    const g = G * perSum;
    const b = B * perSum;
    exgr[i] = clamped(2 * g - r - b - 1.4 * r + g, INDICES.exgr);
    gli[i] = clamped((2 * G - R - B) / (2 * G + R + B + TINY), INDICES.gli);
    vari[i] = clamped((G - R) / Math.max(0.02, G + R - B), INDICES.vari);
    mgrvi[i] = clamped((G * G - R * R) / (G * G + R * R + TINY), INDICES.mgrvi);
    cive[i] = clamped(0.441 * r - 0.811 * g + 0.385 * b, INDICES.cive);
    ngbdi[i] = clamped((G - B) / (G + B + TINY), INDICES.ngbdi);
  }
  return { exgr, gli, vari, mgrvi, cive, ngbdi };
}

function clamped(value: number, { low, high }: { readonly low: number; readonly high: number }): number {
  return Math.min(high, Math.max(low, value));
}
