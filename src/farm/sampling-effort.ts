import { capital } from '../ground/capital.ts';
import { countOf } from '../ground/counts.ts';
import { studentReach } from '../ground/student-t.ts';
import { halfWidthOf, partsOfMean } from './mean-interval.ts';
import type { SamplingDesign } from './mean-variance.ts';
import type { ResidualVariances } from './residual-variances.ts';
import type { VisitMean } from './visit-mean.ts';

/**
 * Quadrats that the mean of a paddock needs to lie within a share of the truth, before any is cut: n = (z · CV / E)²,
 * rounded up (Journal of Range Management; ±10 % at 95 % takes 9, 77 and 200 of 0.25 m² on little, middling and very
 * uneven swards, which are CVs of 0.15, 0.447 and 0.72).
 *
 * @param variation coefficient of variation between quadrats, as 0.45
 * @param precision how far the mean may be off, as a share of it, 0.1
 */
export function quadratsNeeded(variation: number, precision: number, coverage: number): number {
  const z = studentReach(coverage, Number.POSITIVE_INFINITY);
  return Math.max(1, Math.ceil(((z * variation) / precision) ** 2));
}

/** A visit as it stands, for what would come of more work. */
export interface VisitSoFar {
  readonly mean: number;
  /** At least two frames. */
  readonly design: SamplingDesign;
  readonly variances: ResidualVariances;
  /** Coverage of the interval that is meant. */
  readonly coverage: number;
}

/**
 * A visit's mean as it stands; null where it has no interval, or is of nothing.
 *
 * @param variances that the mean was made with
 */
export function visitSoFar(visit: VisitMean, variances: ResidualVariances): VisitSoFar | null {
  const { mean, interval, spread } = visit;
  if (interval === null || spread === null || !(mean > 0)) return null;
  return { mean, design: { ...visit, spread }, variances, coverage: interval.coverage };
}

/** The interval's half width after more work on the same visit, in the unit of its mean. */
export function expectedHalfWidth(
  { design, variances, coverage }: VisitSoFar,
  more: { readonly photos?: number; readonly cuts?: number } = {},
): number {
  return halfWidthOf(partsOfMean(planned(design, variances, more), variances), coverage);
}

/** Frames that were photographed are cut first; cuts beyond those are of new frames, photographed before. */
function planned(
  { frames, cuts, paired = cuts, spread }: SamplingDesign,
  { withinSessions }: ResidualVariances,
  more: { readonly photos?: number; readonly cuts?: number },
): SamplingDesign {
  const allCuts = cuts + (more.cuts ?? 0);
  const allFrames = Math.max(frames + (more.photos ?? 0), allCuts);
  return {
    frames: allFrames,
    cuts: allCuts,
    paired: paired + (more.cuts ?? 0),
    // Cuts scatter more than estimates by what photos do not see.
    spread: spread + Math.max(0, allCuts / allFrames - cuts / frames) * withinSessions,
  };
}

/** What is still to be done for a mean that is near enough. */
export interface EffortNeeded {
  readonly kind: 'enough' | 'photos' | 'cuts' | 'out-of-reach';
  /** How many more of that kind; 0 where it is enough or out of reach. */
  readonly more: number;
  /** Photos besides, where cuts are needed: with them fewer are. */
  readonly photosBesides: number;
  readonly says: string;
}

/** More of anything than on the most uneven of swards is no advice. */
const MOST = 200;
/** Why cuts are needed where photos are not enough. */
const IN_COMMON = 'those of one visit tend to be all too high or all too low, and cuts show by how much';
/** Photos that are tried beside each number of cuts: they take a minute where a cut takes a day to dry. */
const PHOTOS_BESIDES = [0, 10, 30, 60];

/**
 * How many more photos bring a visit's interval to ± `precision` of its mean; where no number does, because what the
 * photos err by in common is too large, the fewest cuts, with photos besides where those spare cuts.
 *
 * @param precision as 0.1 for ±10 %
 */
export function effortNeeded(visit: VisitSoFar, precision: number): EffortNeeded {
  const wanted = precision * visit.mean;
  const reaches = (photos: number, cuts: number): boolean =>
    expectedHalfWidth(visit, { photos, cuts }) <= wanted;
  const share = `±${Number((100 * precision).toFixed(1))} %`;
  if (reaches(0, 0)) {
    return { kind: 'enough', more: 0, photosBesides: 0, says: `The mean is within ${share} as it is.` };
  }
  const numbers = Array.from({ length: MOST }, (_, index) => index + 1);
  const photos = numbers.find((count) => reaches(count, 0));
  if (photos !== undefined) {
    const needed = { kind: 'photos', more: photos, photosBesides: 0 } as const;
    return { ...needed, says: `${countOf(photos, 'more photo')} for ${share}${beyondADay(needed)}.` };
  }
  for (const cuts of numbers) {
    const besides = PHOTOS_BESIDES.find((count) => reaches(count, cuts));
    if (besides === undefined) continue;
    const needed = { kind: 'cuts', more: cuts, photosBesides: besides } as const;
    const work = cutsInWords(cuts, besides, visit.design.frames - visit.design.cuts);
    const says = `More photos alone do not bring ${share}: ${IN_COMMON}. ${work}${beyondADay(needed)}.`;
    return { ...needed, says };
  }
  const says = `Not even ${MOST} more cuts bring ${share} here.`;
  return { kind: 'out-of-reach', more: 0, photosBesides: 0, says };
}

/** That so many cuts would do, and of which frames. @param uncut frames that were photographed and not cut */
function cutsInWords(cuts: number, photosBesides: number, uncut: number): string {
  if (photosBesides > 0)
    return `${countOf(cuts, 'more cut')} of photographed frames and ${photosBesides} more photos would`;
  if (cuts <= uncut) return `${countOf(cuts, 'more cut')} of photographed frames would`;
  if (uncut <= 0) return `${countOf(cuts, 'more frame')}, photographed and cut, would`;
  const further = countOf(cuts - uncut, 'more frame');
  return `Cuts of the ${countOf(uncut, 'frame')} not cut yet and ${further}, photographed and cut, would`;
}

/** What a person does on one visit, at most. */
const MOST_PHOTOS_A_VISIT = 40;
const MOST_CUTS_A_VISIT = 15;

/**
 * What is worth doing next, in a sentence: for ±10 % where a day's work brings that, else for ±20 %, else the most
 * helpful work where it brings a tenth or more, else nothing.
 *
 * @param worth as {@link workWorth} has it, kg DM/ha
 */
export function effortAdvice(
  effort: { readonly tenPercent: EffortNeeded; readonly twentyPercent: EffortNeeded },
  worth: readonly WorkWorth[],
): string {
  const { tenPercent, twentyPercent } = effort;
  if (isDone(tenPercent)) return tenPercent.says;
  if (!isDone(twentyPercent)) {
    const beyond = '±20 % would take more photos and cuts than a day has room for.';
    const [best] = worth;
    if (best && best.after <= WORTH_SAYING * best.before) return `${capital(worthWords(best))}. ${beyond}`;
    return `This is about as near as a visit comes here: ${beyond}`;
  }
  const beyond = '±10 % would take more than a day’s work.';
  return `${twentyPercent.says} ${beyond}`;
}

const beyondADay = (needed: Omit<EffortNeeded, 'says'>): string =>
  isDone(needed) ? '' : ', more than a day has room for';

/** Whether somebody would do it. */
const isDone = ({ kind, more, photosBesides }: Omit<EffortNeeded, 'says'>): boolean =>
  kind === 'enough' ||
  (kind === 'photos' && more <= MOST_PHOTOS_A_VISIT) ||
  (kind === 'cuts' && more <= MOST_CUTS_A_VISIT && photosBesides <= MOST_PHOTOS_A_VISIT);

/** A half width by so much smaller is worth saying in place of what the visit's work would take. */
const WORTH_SAYING = 0.9;

/** Kinds of work in words. */
const WORK_WORDS = {
  'one-more-cut': 'one more cut of a photographed frame',
  'ten-more-photos': 'ten more photos',
  heights: 'heights of all frames',
} as const;

/** What a piece of work would bring, in words; the mean in kg DM/ha. */
export const worthWords = ({ work, before, after }: WorkWorth): string =>
  `${WORK_WORDS[work]}: ± ${after.toFixed(0)} kg DM/ha instead of ± ${before.toFixed(0)}`;

/** What a piece of work would bring. */
export interface WorkWorth {
  readonly work: 'one-more-cut' | 'ten-more-photos' | 'heights';
  /** Half width of the interval before and after, in the unit of the mean. */
  readonly before: number;
  readonly after: number;
}

/**
 * What one more cut, ten more photos, and the heights of all frames would each bring a visit, the most helpful first;
 * what would bring nothing is left out.
 *
 * @param withHeight how the run errs where it is told heights; null where it cannot use them or was told already
 */
export function workWorth(visit: VisitSoFar, withHeight: ResidualVariances | null): WorkWorth[] {
  const before = expectedHalfWidth(visit);
  const worth: WorkWorth[] = [
    { work: 'one-more-cut', before, after: expectedHalfWidth(visit, { cuts: 1 }) },
    { work: 'ten-more-photos', before, after: expectedHalfWidth(visit, { photos: 10 }) },
  ];
  if (withHeight) {
    worth.push({ work: 'heights', before, after: expectedHalfWidth({ ...visit, variances: withHeight }) });
  }
  return worth.filter(({ after }) => after < before).sort((a, b) => a.after - b.after);
}
