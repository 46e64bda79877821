import { meanAndDeviation } from '../ground/statistics.ts';
import { weightedR2 } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import type { OutOfFoldRow, RunResults } from '../runs/results.ts';
import { html, type Markup } from './markup.ts';
import { formatGrams, formatNumber, formatR2, formatSigned, NO_VALUE } from './numbers.ts';
import { TARGET_COLUMNS } from './target-columns.ts';

/** The few numbers a reader came for, with a sentence that says what they mean. */
export function headline(results: RunResults): Markup {
  const { outOfFold } = results;
  const total = outOfFold.perTarget.Dry_Total_g;
  const folds = meanAndDeviation(results.perFold.map((entry) => entry.score.weightedR2));
  const spread = Number.isFinite(folds.deviation)
    ? `${formatR2(folds.mean)} ± ${formatR2(folds.deviation)}`
    : formatR2(folds.mean);
  const foldNote =
    folds.count === 0
      ? 'no fold has a score'
      : folds.count === 1
        ? 'one fold, no spread'
        : `mean ± sd over ${folds.count} folds`;
  const perHectare = formatNumber(gramsToKilogramsPerHectare(total.rmse), 0);
  return html`<div class="tiles">
${tile('Weighted R²', formatR2(outOfFold.weightedR2), 'all out-of-fold predictions pooled')}
${tile('Fold by fold', spread, foldNote)}
${tile('Error of Total', `${formatGrams(total.rmse)} g`, `RMSE a quadrat = ${perHectare} kg DM/ha`)}
${tile('Bias of Total', `${formatSigned(total.bias, 1)} g`, biasNote(total.bias))}
${tile('Photos', formatNumber(outOfFold.imageCount, 0), 'each predicted by a model that did not see it')}
</div>
<p>1 is a perfect weighted R²; ${baselineSentence(results.rows)} Kilograms of dry matter per hectare
(kg DM/ha) assume a 0.21 m² quadrat, 70 × 30 cm.</p>`;
}

/** One number with what it is called and what it means. */
export function tile(label: string, figure: string, note: string): Markup {
  return html`<div class="tile"><span class="label">${label}</span><span class="figure">${figure}</span><span class="note">${note}</span></div>`;
}

function biasNote(bias: number): string {
  if (!Number.isFinite(bias)) return NO_VALUE;
  const perHectare = formatNumber(gramsToKilogramsPerHectare(Math.abs(bias)), 0);
  if (perHectare === '0') return 'no lean either way';
  return `predictions ${bias > 0 ? 'too high' : 'too low'} by ${perHectare} kg DM/ha on average`;
}

/** What always saying the mean of each target would have scored on these photos: the bar to clear. */
function baselineSentence(rows: readonly OutOfFoldRow[]): string {
  if (rows.length < 2) return 'there are too few photos to compare with their mean.';
  const observed = rows.map((row) => row.observed);
  const mean = Object.fromEntries(
    TARGET_COLUMNS.map(({ key }) => [
      key,
      observed.reduce((sum, masses) => sum + masses[key], 0) / rows.length,
    ]),
  ) as Record<keyof Targets, number>;
  const score = weightedR2(
    observed,
    observed.map(() => mean),
  );
  return `answering every photo with the mean of these ${formatNumber(rows.length, 0)} photos would score ${formatR2(score)}.`;
}
