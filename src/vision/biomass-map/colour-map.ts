/**
 * Viridis at eleven even steps, sRGB (Smith & van der Walt, matplotlib 2015; public domain): equal steps of mass
 * look like equal steps, also in grey and to colour-blind eyes.
 */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
];

/** Colour of a share of the scale, 0 to 1 (clipped), as sRGB grey levels. */
export function viridis(share: number): [red: number, green: number, blue: number] {
  const last = VIRIDIS.length - 1;
  const place = Math.max(0, Math.min(1, share)) * last;
  const below = Math.min(last - 1, Math.floor(place));
  const rest = place - below;
  const [low, high] = [VIRIDIS[below], VIRIDIS[below + 1]];
  const channel = (band: 0 | 1 | 2): number => (low?.[band] ?? 0) * (1 - rest) + (high?.[band] ?? 0) * rest;
  return [channel(0), channel(1), channel(2)];
}
