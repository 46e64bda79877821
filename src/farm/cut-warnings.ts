import { countOf } from '../ground/counts.ts';
import { type CutState, sortedGrams } from './cut-state.ts';
import { bagKgDmPerHa, FEWEST_OVEN_HOURS, HOUR_MILLISECONDS } from './dry-matter.ts';
import { instantOf } from './identity.ts';

/** Where nothing is dried yet, what a bag adds is told at the dry matter of lush pasture. */
const LUSH_DRY_MATTER = 0.16;
/** A usual bag, g. */
const USUAL_BAG = 50;
/** What pasture has, from lush to standing hay. */
const DRY_MATTER = { least: 0.08, most: 0.95 } as const;
/** MLA dries at 80 °C: below, water may stay. */
export const LEAST_CELSIUS = 80;
/** Above 105 °C more than water leaves. */
const MOST_CELSIUS = 105;
/** Loss in sorting, of what was sorted. */
const SORTING_LOSS = 0.02;

/** What of a cut is possible and hardly right, a sentence each. */
export function cutWarnings(state: CutState): string[] {
  return [
    timesWarning(state),
    bagWarning(state),
    dryingWarning(state),
    dryMatterWarning(state),
    sortingWarning(state),
  ].filter((warning) => warning !== null);
}

/** Cut sward loses water: what is weighed later than this after its frame was placed is not as it stood. */
const WET_WITHIN_HOURS = 24;

function timesWarning({ frame, wet, subsample, drying, dryWeighings, sorted }: CutState): string | null {
  const steps = [frame, wet, subsample, drying, ...dryWeighings, sorted].filter((step) => step !== null);
  const isInOrder = steps.every((step, at) => {
    const before = steps[at - 1];
    return before === undefined || instantOf(step.at) >= instantOf(before.at);
  });
  if (!isInOrder) return 'The times of the steps are not in their order: correct those that are wrong.';
  if (!frame || !wet) return null;
  const hours = (instantOf(wet.at) - instantOf(frame.at)) / HOUR_MILLISECONDS;
  if (hours <= WET_WITHIN_HOURS) return null;
  return `Weighed wet ${countOf(Math.round(hours / 24), 'day')} after its frame was placed: it has dried meanwhile, or one of the times is wrong.`;
}

function bagWarning(state: CutState): string | null {
  const { frame, wet } = state;
  if (!frame || !wet || wet.tared || wet.bagGrams > 0) return null;
  const fraction = dryMatterOf(state) ?? LUSH_DRY_MATTER;
  const added = bagKgDmPerHa(USUAL_BAG, fraction, frame.frameAreaSquareMetres);
  return (
    `The bag weighs 0 g and the scale was not tared: a bag of ${USUAL_BAG} g would add ${added.toFixed(0)} kg DM/ha at ` +
    `${(100 * fraction).toFixed(0)} % dry matter. Weigh the empty bag.`
  );
}

function dryingWarning({ drying, dryWeighings, stage }: CutState): string | null {
  if (!drying) return null;
  const { celsius } = drying;
  if (celsius !== null && celsius < LEAST_CELSIUS) {
    return `Dried at ${celsius} °C: below ${LEAST_CELSIUS} °C water may stay. Dry it on at ${LEAST_CELSIUS} °C.`;
  }
  if (celsius !== null && celsius > MOST_CELSIUS) {
    return `Dried at ${celsius} °C: above ${MOST_CELSIUS} °C more than water is lost.`;
  }
  const [first] = dryWeighings;
  if (!first || stage !== 'dry-weighed') return null;
  const hours = (instantOf(first.at) - instantOf(drying.at)) / HOUR_MILLISECONDS;
  if (drying.method === 'oven' && dryWeighings.length === 1 && hours < FEWEST_OVEN_HOURS) {
    return `Dried for ${hours.toFixed(1)} h: leave it in for ${FEWEST_OVEN_HOURS} h at least, then weigh it twice, 2 h apart.`;
  }
  return 'Not yet of constant weight: dry it on and weigh it again.';
}

function dryMatterOf({ subsample, dryWeighings }: CutState): number | null {
  const last = dryWeighings.at(-1);
  return subsample && last ? last.dryGrams / subsample.wetGrams : null;
}

function dryMatterWarning(state: CutState): string | null {
  const fraction = dryMatterOf(state);
  if (fraction === null || (fraction >= DRY_MATTER.least && fraction <= DRY_MATTER.most)) return null;
  return `Dry matter of ${(100 * fraction).toFixed(0)} % is unusual for pasture. Check both weights of the sub-sample.`;
}

function sortingWarning({ sorted, dryWeighings }: CutState): string | null {
  const whole = dryWeighings.at(-1);
  if (!sorted || !whole) return null;
  const lost = whole.dryGrams - sortedGrams(sorted);
  if (lost <= SORTING_LOSS * whole.dryGrams) return null;
  return `${lost.toFixed(1)} g were lost in sorting; fractions are shares of what was left.`;
}
