import type { RandomStream } from '../../src/ground/random.ts';

/** Pictures of one bright square on noise; the target is the square's share of the area, times ten. */
export function pictures(
  random: RandomStream,
  count: number,
  size: number,
): { readonly image: Float32Array; readonly target: Float32Array } {
  const image = Float32Array.from({ length: count * 3 * size * size }, () => 0.2 * random.normal());
  const target = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const side = 2 + random.integer(size - 4);
    const top = random.integer(size - side);
    const left = random.integer(size - side);
    for (let y = top; y < top + side; y++) {
      for (let x = left; x < left + side; x++) image[(n * 3 + 1) * size * size + y * size + x] = 1;
    }
    target[n] = (10 * side * side) / (size * size);
  }
  return { image, target };
}
