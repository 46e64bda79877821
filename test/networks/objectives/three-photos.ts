import { targetsFromComponents } from '../../../src/pasture/physics.ts';

/** What a network says of three photos: green, dead, clover, GDM and total, grams. */
export const PREDICTED = [
  [12, 5, 3, 15, 20],
  [30, 0, 0, 30, 34],
  [8, 8, 8, 16, 24],
];

/** What was measured of them. */
export const MEASURED = [
  { green: 10, dead: 6, clover: 0 },
  { green: 33, dead: 2, clover: 1 },
  { green: 8, dead: 8, clover: 8 },
].map(targetsFromComponents);
