import { axisY, dot, gridX, ruleX, ruleY, text } from '@observablehq/plot';
import { meanAndDeviation } from '../../ground/statistics.ts';
import type { Score } from '../../pasture/metric.ts';
import type { Markup } from '../markup.ts';
import { formatR2 } from '../numbers.ts';
import { drawPlot } from './canvas.ts';

const ROW_HEIGHT = 26;

/**
 * Weighted R² of each named part (fold, held-out State) as a dot, with the pooled score as a line and, for two
 * parts or more, their mean ± one standard deviation as a bar at the foot. Null when no part has a score.
 */
export function drawPartScores(
  document: Document,
  parts: readonly { readonly label: string; readonly score: Score }[],
  pooled: Score,
): Markup | null {
  const scored = parts.filter((part) => Number.isFinite(part.score.weightedR2));
  if (scored.length === 0) return null;
  const values = scored.map((part) => part.score.weightedR2);
  const { mean, deviation, count } = meanAndDeviation(values);
  const summary = 'mean ± sd';
  const labels = [...scored.map((part) => part.label), ...(count > 1 ? [summary] : [])];
  const shown = [...values, pooled.weightedR2, ...(count > 1 ? [mean - deviation, mean + deviation] : [])];
  const finite = shown.filter(Number.isFinite);
  const least = Math.min(0, ...finite);
  const most = Math.max(1, ...finite);
  // Room for a dot at either end, where an end is not one of the scale's own.
  const low = least < 0 ? least - 0.04 * (most - least) : 0;
  const high = most > 1 ? most + 0.04 * (most - least) : 1;
  const place = (pooled.weightedR2 - low) / (high - low);
  return drawPlot(document, 'Weighted R² of each part, with the pooled score as a line', {
    height: labels.length * ROW_HEIGHT + 62,
    marginLeft: Math.min(110, 14 + 6.5 * Math.max(...labels.map((label) => label.length))),
    marginRight: 14,
    marginTop: 22,
    marginBottom: 38,
    x: { domain: [low, high], label: 'weighted R²', ticks: 5 },
    y: { type: 'band', domain: labels, label: null, padding: 0.2 },
    marks: [
      gridX({ ticks: 5, strokeOpacity: 0.12 }),
      axisY({ tickSize: 0, lineWidth: 9, textOverflow: 'ellipsis' }),
      ...(Number.isFinite(pooled.weightedR2)
        ? [
            ruleX([pooled.weightedR2], { stroke: '#333333', strokeDasharray: '5,4' }),
            text([`pooled ${formatR2(pooled.weightedR2)}`], {
              x: pooled.weightedR2,
              frameAnchor: 'top',
              textAnchor: place > 0.85 ? 'end' : place < 0.15 ? 'start' : 'middle',
              dy: -14,
            }),
          ]
        : []),
      ruleY(scored, { y: 'label', x1: low, x2: (part) => part.score.weightedR2, stroke: '#c9d3cd' }),
      dot(scored, { y: 'label', x: (part) => part.score.weightedR2, r: 5, fill: '#0072b2' }),
      ...(count > 1
        ? [
            ruleY([summary], {
              y: () => summary,
              x1: mean - deviation,
              x2: mean + deviation,
              strokeWidth: 3,
              stroke: '#333333',
            }),
            dot([summary], { y: () => summary, x: mean, r: 5, symbol: 'diamond2', fill: '#333333' }),
          ]
        : []),
    ],
  });
}
