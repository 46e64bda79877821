import { meanAndDeviation } from '../../ground/statistics.ts';
import { knownSentence } from '../../pasture/partial.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { meanAnswerScore } from '../../runs/mean-answer.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { splitSentence, splitSessions } from '../../runs/split-sessions.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount, formatGrams, formatR2, formatSigned, NO_VALUE } from '../page/numbers.ts';
import { learntColumns, mainColumn } from '../rows/target-columns.ts';

/** The few numbers a reader came for, with a sentence that says what they mean. */
export function headline({ outOfFold, perFold, rows, areaSquareMetres }: RunResults): Markup {
  const area = areaSquareMetres ?? QUADRAT_AREA_SQUARE_METRES;
  const { name, label } = mainColumn(learntColumns(rows));
  const { rmse, bias } = outOfFold.perTarget[name];
  const folds = meanAndDeviation(perFold.map((entry) => entry.score.weightedR2));
  const spread = folds.count > 1 ? ` ± ${formatR2(folds.deviation)}` : '';
  const foldNote =
    ['no fold has a score', 'one fold, no spread'][folds.count] ?? `mean ± sd over ${folds.count} folds`;
  const perHectare = formatCount(gramsToKilogramsPerHectare(rmse, area));
  return html`<div class="tiles">
${tile('Weighted R²', formatR2(outOfFold.weightedR2), 'all out-of-fold predictions pooled')}
${tile('Fold by fold', `${formatR2(folds.mean)}${spread}`, foldNote)}
${tile(`Error of ${label}`, `${formatGrams(rmse)} g`, `RMSE a quadrat = ${perHectare} kg DM/ha`)}
${tile(`Bias of ${label}`, `${formatSigned(bias, 1)} g`, biasNote(bias, area))}
${tile('Photos', formatCount(outOfFold.imageCount), 'each predicted by a model that did not see it')}
</div>
<p>1 is a perfect weighted R²; ${meanAnswerSentence(rows)} Kilograms of dry matter per hectare
(kg DM/ha) assume ${frameText(area)}.</p>
${gapsSentence(rows)}${splitWarning(rows)}`;
}

/** One number with what it is called and what it means. */
export function tile(label: string, figure: string, note: string): Markup {
  return html`<div class="tile"><span class="label">${label}</span><span class="figure">${figure}</span><span class="note">${note}</span></div>`;
}

/** The frame as a sentence has it. */
const frameText = (area: number): string =>
  area === QUADRAT_AREA_SQUARE_METRES ? 'a 0.21 m² quadrat, 70 × 30 cm' : `a frame of ${area} m²`;

function biasNote(bias: number, area: number): string {
  const perHectare = formatCount(gramsToKilogramsPerHectare(Math.abs(bias), area));
  if (perHectare === NO_VALUE) return NO_VALUE;
  if (perHectare === '0') return 'no lean either way';
  return `predictions ${bias > 0 ? 'too high' : 'too low'} by ${perHectare} kg DM/ha on average`;
}

/** What always saying the mean of the training photos would have scored on these photos: the bar to clear. */
function meanAnswerSentence(rows: readonly OutOfFoldRow[]): string {
  const score = meanAnswerScore(rows);
  return Number.isFinite(score)
    ? `answering every photo with the mean of the photos outside its fold would score ${formatR2(score)}.`
    : 'there are too few photos to compare with their mean.';
}

/** Which masses were measured of how many photos, where that is not all of all. */
function gapsSentence(rows: readonly OutOfFoldRow[]): Markup | null {
  const counts = knownSentence(rows.map(({ observed }) => observed));
  return counts === null
    ? null
    : html`<p id="measured">Measured: ${counts}. Scores are of what was measured, and masses that were measured
of no photo are not on this page.</p>
`;
}

/** Where visits are split between folds, what that does to every score on the page. */
function splitWarning(rows: readonly OutOfFoldRow[]): Markup | null {
  const split = rows.length > 0 ? splitSessions(rows) : null;
  return (
    split &&
    html`<p id="split-sessions"><strong>Do not trust these scores:</strong> ${splitSentence(split)}.</p>`
  );
}
