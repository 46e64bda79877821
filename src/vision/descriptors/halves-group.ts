import { type DescriptorGroup, namesOf } from './group.ts';
import type { Scene } from './scene.ts';

const SUBJECTS = ['green', 'brown', 'bare', 'shadow', 'exg', 'lightness', 'a', 'b', 'saturation'] as const;

/**
 * The left and the right half each by itself: mean of the two (`both`) and absolute difference (`apart`) of the
 * covers and of mean colour. Neither changes when the photo is mirrored.
 */
export const HALVES_GROUP: DescriptorGroup = {
  names: namesOf(
    SUBJECTS.map((subject) => `halves-${subject}`),
    ['both', 'apart'],
  ),
  measure(scene) {
    const { cover } = scene;
    const { lightness, a, b } = scene.lab;
    const planes = [
      cover.green,
      cover.brown,
      cover.bare,
      cover.shadow,
      scene.excessGreen,
      lightness,
      a,
      b,
      scene.hsv.saturation,
    ];
    return planes.flatMap((plane) => {
      const [left, right] = halfMeans(plane, scene);
      return [(left + right) / 2, Math.abs(left - right)];
    });
  },
};

function halfMeans(plane: Float32Array, { colour }: Scene): [number, number] {
  const middle = colour.width / 2;
  let left = 0;
  let right = 0;
  for (let i = 0; i < plane.length; i++) {
    if (i % colour.width < middle) left += plane[i] as number;
    else right += plane[i] as number;
  }
  return [left / (plane.length / 2), right / (plane.length / 2)];
}
