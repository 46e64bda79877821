/** A hash of a lattice point to [0, 1), the same on every machine. Coordinates are whole numbers. */
export function latticeUniform(x: number, y: number, seed: number): number {
  let hash = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Smooth value noise in [0, 1): random lattice values joined by a smoothstep. One feature per unit length. */
export function smoothNoise(x: number, y: number, seed: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = x - column;
  const fy = y - row;
  const sx = fx * fx * (3 - 2 * fx);
  const sy = fy * fy * (3 - 2 * fy);
  const a = latticeUniform(column, row, seed);
  const b = latticeUniform(column + 1, row, seed);
  const c = latticeUniform(column, row + 1, seed);
  const d = latticeUniform(column + 1, row + 1, seed);
  return a + (b - a) * sx + (c - a) * sy + (a - b - c + d) * sx * sy;
}

/** Octaves of {@link smoothNoise}, each half as wide and half as strong; in [0, 1), mean one half. */
export function fractalNoise(x: number, y: number, seed: number, octaves: number): number {
  let sum = 0;
  let weight = 0;
  let amplitude = 1;
  let frequency = 1;
  for (let octave = 0; octave < octaves; octave++) {
    sum += amplitude * smoothNoise(x * frequency, y * frequency, seed + octave * 101);
    weight += amplitude;
    amplitude /= 2;
    frequency *= 2.03;
  }
  return sum / weight;
}
