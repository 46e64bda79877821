import { countOf } from '../ground/counts.ts';
import { mean } from '../ground/statistics.ts';
import type { SampledFrame } from './visit-mean.ts';

/** Cuts so many times their estimates, or so small a part of them, are rather of another kind than badly estimated. */
const FAR_APART = 3;

/**
 * That cuts lie far above what photos say, as fresh weights do (four to seven times the dry ones), or far below, as those
 * of another unit or frame. None where they do not, or where no frame was both cut and estimated.
 *
 * @param framesBy frames of a visit, kg DM/ha, by masses: the first that was cut tells
 */
export function farApartNotes(framesBy: readonly (readonly SampledFrame[])[]): string[] {
  const pairsBy = framesBy.map((frames) =>
    frames.flatMap(({ estimate, cut }) => (estimate === null || cut === null ? [] : [{ estimate, cut }])),
  );
  const pairs = pairsBy.find(({ length }) => length > 0) ?? [];
  const estimated = mean(pairs.map(({ estimate }) => estimate));
  const cut = mean(pairs.map((pair) => pair.cut));
  if (!(estimated > 0 && cut > 0)) return [];
  const ratio = cut / estimated;
  if (ratio < FAR_APART && ratio > 1 / FAR_APART) return [];
  const how =
    ratio > 1
      ? `${ratio.toFixed(1)} times what photos say`
      : `${(100 * ratio).toFixed(0)} % of what photos say`;
  const remedy =
    ratio > 1
      ? 'were they weighed fresh? Dry weights are wanted'
      : 'look at the unit, and at the area of the frame';
  const [from, to] = [cut.toFixed(0), estimated.toFixed(0)];
  return [
    `cuts are ${how} (${from} and ${to} kg DM/ha, mean of ${countOf(pairs.length, 'frame')}): ${remedy}`,
  ];
}
