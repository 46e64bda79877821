import type { GrassLook } from './blades.ts';
import type { CloverLook } from './clover.ts';

/** The grasses of the sample. Height, lean and colour are varied by session and photo. */
type GrassKind = Omit<GrassLook, 'heightCm' | 'lean' | 'yellowing'>;
type CloverKind = Omit<CloverLook, 'heightCm' | 'flowers'>;

const RYEGRASS: GrassKind = {
  lengthPerHeight: 1.35,
  widthCm: 0.27,
  elevation: 0.85,
  bend: 1.1,
  hue: 84,
  saturation: 0.58,
  value: 0.5,
  gloss: 0.4,
  stems: 0.04,
  scatter: { tufted: 0.45, tuftRadius: 2.6, tufts: 60, patchiness: 0.35 },
};

const PHALARIS: GrassKind = {
  lengthPerHeight: 1.5,
  widthCm: 0.58,
  elevation: 0.9,
  bend: 1.0,
  hue: 92,
  saturation: 0.47,
  value: 0.47,
  gloss: 0.28,
  stems: 0.08,
  scatter: { tufted: 0.6, tuftRadius: 3.6, tufts: 16, patchiness: 0.45 },
};

const FESCUE: GrassKind = {
  lengthPerHeight: 1.4,
  widthCm: 0.36,
  elevation: 0.95,
  bend: 0.9,
  hue: 87,
  saturation: 0.54,
  value: 0.44,
  gloss: 0.35,
  stems: 0.1,
  scatter: { tufted: 0.7, tuftRadius: 3.2, tufts: 22, patchiness: 0.5 },
};

export const WHITE_CLOVER: CloverKind = {
  leafletCm: 1.1,
  hue: 92,
  saturation: 0.52,
  value: 0.46,
  mark: 0.55,
  scatter: { tufted: 0.8, tuftRadius: 4.5, tufts: 14, patchiness: 0.6 },
};

const SUBCLOVER: CloverKind = {
  leafletCm: 1.2,
  hue: 80,
  saturation: 0.6,
  value: 0.52,
  mark: 0.35,
  scatter: { tufted: 0.85, tuftRadius: 4, tufts: 18, patchiness: 0.5 },
};

/** What a Species entry stands for: who grows, and how much of it is usual (grams a quadrat, cm). */
export interface SpeciesKind {
  readonly name: string;
  readonly grasses: readonly { readonly kind: GrassKind; readonly share: number }[];
  readonly lucerneShare: number;
  readonly clover: CloverKind | undefined;
  readonly heightCm: number;
  readonly greenGrams: number;
  readonly deadGrams: number;
  readonly cloverGrams: number;
}

const RYE = [{ kind: RYEGRASS, share: 1 }];
const PHALARIS_ONLY = [{ kind: PHALARIS, share: 1 }];
const FESCUE_ONLY = [{ kind: FESCUE, share: 1 }];
const PHALARIS_RYE = [
  { kind: PHALARIS, share: 0.55 },
  { kind: RYEGRASS, share: 0.45 },
];

/** Species by State, with the masses that each usually carries in the competition's table (field guide 1.3). */
export const SPECIES_BY_STATE: Readonly<Record<string, readonly SpeciesKind[]>> = {
  Tas: [
    species('Ryegrass_Clover', RYE, WHITE_CLOVER, 4.5, 24, 12, 10),
    species('Ryegrass', RYE, undefined, 6, 32, 14, 0),
    species('WhiteClover', RYE, WHITE_CLOVER, 2.6, 6, 8, 11),
    species('Clover', RYE, WHITE_CLOVER, 4.5, 8, 7, 26),
  ],
  Vic: [
    species('Phalaris_Clover', PHALARIS_ONLY, WHITE_CLOVER, 5.5, 30, 13, 6),
    species('Ryegrass_Clover', RYE, WHITE_CLOVER, 5, 30, 8, 10),
    species('Phalaris_Ryegrass_Clover', PHALARIS_RYE, WHITE_CLOVER, 6, 34, 12, 5),
    species('Ryegrass', RYE, undefined, 4.5, 22, 18, 0),
  ],
  NSW: [
    species('Fescue', FESCUE_ONLY, undefined, 12, 55, 24, 0),
    { ...species('Lucerne', [], undefined, 22, 40, 5, 0), lucerneShare: 1 },
    species('Phalaris', PHALARIS_ONLY, undefined, 15, 58, 22, 0),
    species('Fescue_CrumbWeed', FESCUE_ONLY, undefined, 7, 34, 16, 0),
  ],
  WA: [
    species('Clover', RYE, SUBCLOVER, 4, 8, 0, 24),
    species('SubcloverDalkeith', RYE, SUBCLOVER, 2.5, 2.5, 0, 14),
    species('SubcloverLosa', RYE, SUBCLOVER, 3, 2.5, 0, 18),
  ],
};

function species(
  name: string,
  grasses: SpeciesKind['grasses'],
  clover: SpeciesKind['clover'],
  heightCm: number,
  greenGrams: number,
  deadGrams: number,
  cloverGrams: number,
): SpeciesKind {
  return { name, grasses, lucerneShare: 0, clover, heightCm, greenGrams, deadGrams, cloverGrams };
}
