import { mean, meanAndDeviation } from '../../ground/statistics.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount, formatGrams, formatR2, formatSigned, NO_VALUE } from '../page/numbers.ts';
import { TARGET_COLUMNS } from '../rows/target-columns.ts';

/** The few numbers a reader came for, with a sentence that says what they mean. */
export function headline({ outOfFold, perFold, rows }: RunResults): Markup {
  const { rmse, bias } = outOfFold.perTarget.Dry_Total_g;
  const folds = meanAndDeviation(perFold.map((entry) => entry.score.weightedR2));
  const spread = folds.count > 1 ? ` ± ${formatR2(folds.deviation)}` : '';
  const foldNote =
    ['no fold has a score', 'one fold, no spread'][folds.count] ?? `mean ± sd over ${folds.count} folds`;
  const perHectare = formatCount(gramsToKilogramsPerHectare(rmse));
  return html`<div class="tiles">
${tile('Weighted R²', formatR2(outOfFold.weightedR2), 'all out-of-fold predictions pooled')}
${tile('Fold by fold', `${formatR2(folds.mean)}${spread}`, foldNote)}
${tile('Error of Total', `${formatGrams(rmse)} g`, `RMSE a quadrat = ${perHectare} kg DM/ha`)}
${tile('Bias of Total', `${formatSigned(bias, 1)} g`, biasNote(bias))}
${tile('Photos', formatCount(outOfFold.imageCount), 'each predicted by a model that did not see it')}
</div>
<p>1 is a perfect weighted R²; ${baselineSentence(rows)} Kilograms of dry matter per hectare
(kg DM/ha) assume a 0.21 m² quadrat, 70 × 30 cm.</p>`;
}

/** One number with what it is called and what it means. */
export function tile(label: string, figure: string, note: string): Markup {
  return html`<div class="tile"><span class="label">${label}</span><span class="figure">${figure}</span><span class="note">${note}</span></div>`;
}

function biasNote(bias: number): string {
  const perHectare = formatCount(gramsToKilogramsPerHectare(Math.abs(bias)));
  if (perHectare === NO_VALUE) return NO_VALUE;
  if (perHectare === '0') return 'no lean either way';
  return `predictions ${bias > 0 ? 'too high' : 'too low'} by ${perHectare} kg DM/ha on average`;
}

/** What always saying the mean of each target would have scored on these photos: the bar to clear. */
function baselineSentence(rows: readonly OutOfFoldRow[]): string {
  if (rows.length < 2) return 'there are too few photos to compare with their mean.';
  const observed = rows.map((row) => row.observed);
  const means = TARGET_COLUMNS.map(({ key }) => [key, mean(observed.map((masses) => masses[key]))]);
  const answer = Object.fromEntries(means) as Targets;
  const score = weightedR2(
    observed,
    observed.map(() => answer),
  );
  return `answering every photo with the mean of these ${formatCount(rows.length)} photos would score ${formatR2(score)}.`;
}
