import { axisY, dot, ruleX, ruleY, text } from '@observablehq/plot';
import { extent } from 'd3-array';
import { meanAndDeviation } from '../../ground/statistics.ts';
import type { Score } from '../../pasture/metric.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import type { RunResults } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount, formatGrams, formatNumber, formatR2, formatSigned } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { BLUE, drawPlot, INK, REFERENCE } from '../plots/canvas.ts';
import { learntColumns, mainColumn, type TargetColumn } from '../rows/target-columns.ts';

/** A named part of a run with its score: a fold, a held-out State. */
interface Part {
  readonly label: string;
  readonly score: Score;
}

const ROW_HEIGHT = 26;

/** R², RMSE, MAE and bias of each target over all out-of-fold predictions. */
export function targetsSection({
  outOfFold: { perTarget, imageCount },
  rows: photos,
  areaSquareMetres,
}: RunResults): PageSection {
  const columns = learntColumns(photos);
  const hasGaps = columns.some(({ name }) => perTarget[name].photos < imageCount);
  const rows = columns.map(({ name, label, weight }) => {
    const { r2, rmse, mae, bias, photos: measured } = perTarget[name];
    const perHectare = formatCount(gramsToKilogramsPerHectare(rmse, areaSquareMetres));
    const heading = html`${label} <span class="quiet">${name}</span>`;
    const errors = [formatGrams(rmse), perHectare, formatGrams(mae), formatSigned(bias, 1)];
    const count = hasGaps ? [formatCount(measured)] : [];
    return [heading, formatNumber(weight, 1), formatR2(r2), ...errors, ...count];
  });
  const heads = ['Target', 'weight', 'R²', 'RMSE, g', 'RMSE, kg DM/ha', 'MAE, g', 'bias, g'];
  if (hasGaps) heads.push('photos measured');
  return {
    id: 'targets',
    heading: 'Score of each target',
    body: html`<p>Over all out-of-fold predictions. Errors are predicted − observed dry mass a quadrat; a positive bias means
predictions are too high on average. GDM (green dry matter) is green + clover, Total is GDM + dead.</p>
${numbersTable(heads, rows, { targets: columns.map(({ name }) => name) })}`,
  };
}

export function foldsSection({ perFold, outOfFold, rows }: RunResults): PageSection {
  const parts = perFold.map(({ fold, score }) => ({ label: `fold ${fold}`, score }));
  const body =
    parts.length === 0
      ? html`<p>The run has no folds.</p>`
      : partScores('Fold', parts, outOfFold, learntColumns(rows));
  return { id: 'folds', heading: 'Score of each fold', body };
}

/** Scores of States held out one at a time; null where they were not computed. */
export function statesSection({ leaveOneStateOut, ensemble, rows }: RunResults): PageSection | null {
  if (leaveOneStateOut === null) return null;
  const parts = leaveOneStateOut.perState.map(({ state, score }) => ({ label: state, score }));
  const fitted =
    ensemble && ensemble.nested_by !== null
      ? ' Weights and post-processing were fitted anew without the State that is scored.'
      : '';
  return {
    id: 'leave-one-state-out',
    heading: 'One State held out at a time',
    body: html`<p>Each State predicted by a model trained on the others only: what to expect in country the model has never seen.${fitted}
A State with little variation of its own can score far below zero though its errors in grams are small.</p>
${partScores('State', parts, leaveOneStateOut.pooled, learntColumns(rows))}`,
  };
}

/** Scores of the parts a run was validated in as a plot and a table, with the pooled score as last row. */
function partScores(
  heading: string,
  parts: readonly Part[],
  pooled: Score,
  columns: readonly TargetColumn[],
): Markup {
  const main = mainColumn(columns);
  const rowOf = ({ label, score: { imageCount, weightedR2, perTarget } }: Part) => [
    label,
    formatCount(imageCount),
    html`<strong>${formatR2(weightedR2)}</strong>`,
    ...columns.map(({ name }) => formatR2(perTarget[name].r2)),
    formatGrams(perTarget[main.name].rmse),
    formatSigned(perTarget[main.name].bias, 1),
  ];
  const table = numbersTable(
    [
      ...[heading, 'photos', 'weighted R²'],
      ...columns.map(({ label }) => `R² ${label}`),
      ...[`RMSE ${main.label}, g`, `bias ${main.label}, g`],
    ],
    parts.map(rowOf),
    { foot: rowOf({ label: 'pooled', score: pooled }) },
  );
  const scored = parts
    .map(({ label, score }) => ({ label, score: score.weightedR2 }))
    .filter(({ score }) => Number.isFinite(score));
  if (scored.length === 0) return table;
  return html`<div class="beside"><figure>${drawPartScores(scored, pooled.weightedR2)}</figure>${table}</div>`;
}

/** Weighted R² of each part as a dot, the pooled score as a line, and mean ± one standard deviation at the foot. */
function drawPartScores(
  scored: readonly { readonly label: string; readonly score: number }[],
  pooled: number,
): Markup {
  const { mean, deviation, count } = meanAndDeviation(scored.map(({ score }) => score));
  // One part has no spread.
  const summary =
    count > 1 ? [{ label: 'mean ± sd', mean, low: mean - deviation, high: mean + deviation }] : [];
  const labels = [...scored, ...summary].map(({ label }) => label);
  const ends = summary.flatMap(({ low, high }) => [low, high]);
  const shown = [0, 1, pooled, ...scored.map(({ score }) => score), ...ends].filter(Number.isFinite);
  const [least = 0, most = 1] = extent(shown);
  // Room for a dot at either end, where an end is not one of the scale's own.
  const low = least < 0 ? least - 0.04 * (most - least) : 0;
  const high = most > 1 ? most + 0.04 * (most - least) : 1;
  const place = (pooled - low) / (high - low);
  const overall = Number.isFinite(pooled) ? [pooled] : [];
  return drawPlot('Weighted R² of each part, with the pooled score as a line', {
    height: labels.length * ROW_HEIGHT + 62,
    marginLeft: Math.min(110, 14 + 6.5 * Math.max(...labels.map((label) => label.length))),
    marginRight: 14,
    marginTop: 22,
    marginBottom: 38,
    x: { domain: [low, high], label: 'weighted R²', ticks: 5, grid: true },
    y: { type: 'band', domain: labels, label: null, padding: 0.2 },
    marks: [
      axisY({ tickSize: 0, lineWidth: 9, textOverflow: 'ellipsis' }),
      ruleX(overall, REFERENCE),
      text(overall, {
        x: pooled,
        text: [`pooled ${formatR2(pooled)}`],
        frameAnchor: 'top',
        textAnchor: place > 0.85 ? 'end' : place < 0.15 ? 'start' : 'middle',
        dy: -14,
      }),
      ruleY(scored, { y: 'label', x1: low, x2: 'score', stroke: '#c9d3cd' }),
      dot(scored, { y: 'label', x: 'score', r: 5, fill: BLUE }),
      ruleY(summary, { y: 'label', x1: 'low', x2: 'high', strokeWidth: 3, stroke: INK }),
      dot(summary, { y: 'label', x: 'mean', r: 5, symbol: 'diamond2', fill: INK }),
    ],
  });
}
