import { correlationsOf, detailCorrelations } from './detail.ts';
import { type DescriptorGroup, namesOf } from './group.ts';
import type { Octaves, Scene, Tint } from './scene.ts';
import { momentsOf } from './statistics.ts';

const COLOURS = ['a', 'b', 'green', 'saturation', 'ngrdi'] as const satisfies readonly Tint[];
/** Sizes: fine is the mean of the octaves at 2 and 4 mm a pixel, middle of those at 8 and 16 mm. */
const SIZES = ['fine', 'middle', 'coarse'] as const;
/** Floors, in each plane's unit, below which a variation is noise: about half a grey level of 255. */
const FLOORS = { light: 0.1, a: 0.1, b: 0.1, green: 0.002, saturation: 0.002, ngrdi: 0.002 } as const;

/**
 * How strongly colour varies beside light, by size: log of the deviation of a*, b*, excess green, saturation
 * and NGRDI over that of L*, in fine detail, in middle detail and in the picture at 16 mm a pixel. Tall swards
 * have much relief (light varies) of one colour over decimetres and many tints within a centimetre; short open
 * ones have the reverse. The ratios of a* and b* do not see exposure, none sees an even colour cast much.
 */
export const CONTRAST_GROUP: DescriptorGroup = {
  names: SIZES.flatMap((size) => namesOf([`contrast-${size}`], COLOURS)),
  measure(scene) {
    const light = variations(scene, 'light');
    const ratios = COLOURS.map((colour) =>
      variations(scene, colour).map((variation, size) => variation - (light[size] as number)),
    );
    return SIZES.flatMap((_, size) => ratios.map((ratio) => ratio[size] as number));
  },
};

/** Log deviation of a plane at each of {@link SIZES}. */
function variations(scene: Scene, tint: Tint): number[] {
  const octaves = scene.tint(tint);
  const log = (deviation: number): number => Math.log(deviation + FLOORS[tint]);
  const detail = (level: number): number => log(octaves.detail(level).deviation);
  return [
    (detail(1) + detail(2)) / 2,
    (detail(3) + detail(4)) / 2,
    log(momentsOf(octaves.plane(4).data).deviation),
  ];
}

const CORRELATED = ['light', 'a', 'b', 'green', 'saturation'] as const satisfies readonly Tint[];
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
  measure(scene) {
    const octaves: Octaves[] = CORRELATED.map((tint) => scene.tint(tint));
    return [
      ...[0, 2].flatMap((level) =>
        detailCorrelations(
          octaves.map((tint) => tint.plane(level)),
          PAIRS,
        ),
      ),
      ...correlationsOf(
        octaves.map((tint) => tint.plane(4)),
        PAIRS,
      ),
    ];
  },
};
