import fc from 'fast-check';

/** Shapes of 1 to `rank` axes, lengths 1 to `length`: axes of length 1 are frequent. */
export const shapes = (rank = 3, length = 4): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: length }), { minLength: 1, maxLength: rank });

/** Two shapes that broadcast: some axes of each are 1, leading axes of either may be absent. */
export const broadcastingPair: fc.Arbitrary<[number[], number[]]> = fc
  .tuple(
    shapes(),
    fc.array(fc.constantFrom('both', 'left', 'right'), { minLength: 3, maxLength: 3 }),
    fc.nat({ max: 2 }),
    fc.boolean(),
  )
  .map(([shape, keeps, drop, dropLeft]) => {
    const side = (name: string): number[] =>
      shape.map((length, axis) => (keeps[axis] === 'both' || keeps[axis] === name ? length : 1));
    const left = side('left');
    const right = side('right');
    return dropLeft
      ? [left.slice(Math.min(drop, left.length)), right]
      : [left, right.slice(Math.min(drop, right.length))];
  });

/** Seeds for drawing elements. */
export const seeds = fc.integer();
