import { type DescriptorGroup, namesOf } from './group.ts';
import type { Tint } from './scene.ts';
import { correlationOf, momentsOf } from './statistics.ts';

const COLOURS = ['a', 'b', 'green', 'saturation', 'ngrdi'] as const;
/** Sizes: fine is the mean of the octaves at 2 and 4 mm a pixel, middle of those at 8 and 16 mm. */
const SIZES = ['fine', 'middle', 'coarse'] as const;
/** Floors, in each plane's unit, below which a variation is noise: about half a grey level of 255. */
const FLOORS = [0.1, 0.1, 0.1, 0.002, 0.002, 0.002] as const;

/**
 * How strongly colour varies beside light, by size: log of the deviation of a*, b*, excess green, saturation
 * and NGRDI over that of L*, in fine detail, in middle detail and in the picture at 16 mm a pixel. Tall swards
 * have much relief (light varies) of one colour over decimetres and many tints within a centimetre; short open
 * ones have the reverse. The ratios of a* and b* do not see exposure, none sees an even colour cast much.
 */
export const CONTRAST_GROUP: DescriptorGroup = {
  names: SIZES.flatMap((size) => namesOf([`contrast-${size}`], COLOURS)),
  measure({ tints }) {
    const octaves = tints.map(octaveDeviations);
    return SIZES.flatMap((_, size) =>
      COLOURS.map((_, colour) => {
        const ratio = (octave: number): number =>
          logDeviation(octaves, colour + 1, octave) - logDeviation(octaves, 0, octave);
        if (size === 0) return (ratio(1) + ratio(2)) / 2;
        if (size === 1) return (ratio(3) + ratio(4)) / 2;
        return ratio(5);
      }),
    );
  },
};

const PAIRS = [
  [0, 1],
  [0, 2],
  [0, 3],
  [0, 4],
  [1, 2],
] as const;

/**
 * How colour goes with light: correlations of L* with a*, b*, excess green and saturation, and of a* with b*, in
 * detail at 1 mm and 4 mm a pixel and in the picture at 16 mm. In fresh swards the bright leaves are the
 * greenest, in mature ones the bright stems are straw; clover's leaflets are bright and green at once.
 */
export const HARMONY_GROUP: DescriptorGroup = {
  names: SIZES.flatMap((size) =>
    namesOf([`harmony-${size}`], ['light-a', 'light-b', 'light-green', 'light-saturation', 'a-b']),
  ),
  measure({ tints }) {
    const levels = [
      tints.map((tint) => tint.details[0]),
      tints.map((tint) => tint.details[2]),
      tints.map((tint) => tint.coarse),
    ];
    return levels.flatMap((level) =>
      PAIRS.map(([one, other]) => correlationOf(level[one] as Float32Array, level[other] as Float32Array)),
    );
  },
};

/** Deviation of the detail at 1, 2, 4, 8 and 16 mm a pixel, then of the whole picture at 16 mm. */
function octaveDeviations({ details, coarse }: Tint): number[] {
  return [...details, coarse].map((values) => momentsOf(values).deviation);
}

function logDeviation(octaves: readonly (readonly number[])[], plane: number, octave: number): number {
  return Math.log((octaves[plane]?.[octave] ?? 0) + (FLOORS[plane] ?? 0));
}
