import type { Pixels } from '../photos/pixels.ts';
import { COLOUR_GROUP, INDEX_GROUP } from './colour-group.ts';
import { CONTRAST_GROUP, HARMONY_GROUP } from './contrast-group.ts';
import { COVER_GROUP, HALVES_GROUP } from './cover-group.ts';
import { workingFrame } from './frame.ts';
import type { DescriptorGroup } from './group.ts';
import { BAND_GROUP, LIGHT_GROUP } from './light-group.ts';
import { GLCM_GROUP, LBP_GROUP } from './pattern-group.ts';
import { SCATTERING_GROUP } from './scattering-group.ts';
import { Scene } from './scene.ts';
import { withoutStamp } from './stamp.ts';
import { BLOB_GROUP, STREAK_GROUP } from './stroke-group.ts';

const GROUPS: readonly DescriptorGroup[] = [
  COLOUR_GROUP,
  INDEX_GROUP,
  COVER_GROUP,
  LIGHT_GROUP,
  BAND_GROUP,
  STREAK_GROUP,
  BLOB_GROUP,
  LBP_GROUP,
  GLCM_GROUP,
  CONTRAST_GROUP,
  HARMONY_GROUP,
  SCATTERING_GROUP,
  HALVES_GROUP,
];

/** More pixels than this add nothing at the working size, so larger photos are shrunk while decoding. */
export const DESCRIBED_PIXELS = 12_000_000;

/** Rises whenever a descriptor's values change, so that remembered ones are not mixed with new. */
export const DESCRIPTOR_VERSION = 2;

/** Versions whose values are the same to a hundred-thousandth of their spread: what was learnt of one holds for all. */
export const ALIKE_DESCRIPTOR_VERSIONS: readonly number[] = [1, DESCRIPTOR_VERSION];

/** Names of the values of {@link describePhoto}, in order; `docs/descriptors.md` tells what each means. */
export const DESCRIPTOR_NAMES: readonly string[] = namesIn(GROUPS);

/** The groups that make up each view. */
const VIEW_GROUPS = {
  contrast: [CONTRAST_GROUP],
  form: [COVER_GROUP, BAND_GROUP, BLOB_GROUP],
  scatter: [SCATTERING_GROUP],
} as const satisfies Record<string, readonly DescriptorGroup[]>;

/**
 * Three small sets of descriptors that look at a sward from different sides. Estimators fitted on each and
 * averaged do better on new dates than one estimator on all: see `docs/descriptors.md`.
 */
export const DESCRIPTOR_VIEWS = {
  /** Colour variation beside light variation, by size: 15 values, for a linear estimator. */
  contrast: namesIn(VIEW_GROUPS.contrast),
  /** Cover, detail by size and roundness: 68 values, for a kernel estimator. */
  form: namesIn(VIEW_GROUPS.form),
  /** Coarseness and arrangement of oriented structure: 35 values, for a kernel estimator. */
  scatter: namesIn(VIEW_GROUPS.scatter),
} as const satisfies Record<string, readonly string[]>;

/** One of {@link DESCRIPTOR_VIEWS}. */
export type DescriptorView = keyof typeof DESCRIPTOR_VIEWS;

/** Where the descriptors of a view stand in the vector of {@link describePhoto}. */
export function viewColumns(view: DescriptorView): number[] {
  return DESCRIPTOR_VIEWS[view].map((name) => DESCRIPTOR_NAMES.indexOf(name));
}

/**
 * What a photo's colours and textures are, as numbers an estimator can use: {@link DESCRIPTOR_NAMES} in order,
 * always finite. The photo may have any size; it is taken to show the quadrat from above, edge to edge. A
 * mirrored photo gives the same values to rounding; an orange date stamp is left out.
 *
 * @param views the only {@link DESCRIPTOR_VIEWS} wanted, whose values follow one another; without them, all values
 */
export function describePhoto(pixels: Pixels, views?: readonly DescriptorView[]): Float64Array {
  const scene = new Scene(withoutStamp(workingFrame(pixels)));
  const groups: readonly DescriptorGroup[] = views?.flatMap((view) => VIEW_GROUPS[view]) ?? GROUPS;
  return Float64Array.from(groups.flatMap((group) => group.measure(scene)));
}

function namesIn(groups: readonly DescriptorGroup[]): string[] {
  return groups.flatMap((group) => group.names);
}
