import { dot, gridX, gridY, line } from '@observablehq/plot';
import type { OutOfFoldRow } from '../../runs/results.ts';
import type { Markup } from '../markup.ts';
import { formatGrams } from '../numbers.ts';
import type { TargetColumn } from '../target-columns.ts';
import { drawPlot, PLOT_WIDTH } from './canvas.ts';
import { markOf, pointRadius, type StateMark } from './state-marks.ts';

const MARGIN = { marginTop: 22, marginRight: 14, marginBottom: 36, marginLeft: 40 };

/** One target's predicted mass over its observed mass, both in grams on equal axes, with the 1:1 line. */
export function drawObservedPredicted(
  document: Document,
  rows: readonly OutOfFoldRow[],
  target: TargetColumn,
  marks: readonly StateMark[],
): Markup {
  const points = rows
    .map((row) => ({
      imageId: row.imageId,
      observed: row.observed[target.key],
      predicted: row.predicted[target.key],
      mark: markOf(marks, row.state),
    }))
    .filter((point) => Number.isFinite(point.observed) && Number.isFinite(point.predicted));
  const masses = points.flatMap((point) => [point.observed, point.predicted]);
  const low = masses.reduce((least, mass) => Math.min(least, mass), 0);
  const high = masses.reduce((most, mass) => Math.max(most, mass), 1);
  const domain: [number, number] = [low, high + 0.03 * (high - low)];
  const side = PLOT_WIDTH - MARGIN.marginLeft - MARGIN.marginRight;
  return drawPlot(document, `${target.label}: predicted over observed mass, one point a photo`, {
    ...MARGIN,
    height: side + MARGIN.marginTop + MARGIN.marginBottom,
    x: { domain, label: 'observed, g', ticks: 6 },
    y: { domain, label: 'predicted, g', ticks: 6 },
    marks: [
      gridX({ ticks: 6, strokeOpacity: 0.12 }),
      gridY({ ticks: 6, strokeOpacity: 0.12 }),
      line(
        domain.map((mass) => [mass, mass]),
        { stroke: '#333333', strokeDasharray: '5,4' },
      ),
      dot(points, {
        x: 'observed',
        y: 'predicted',
        r: pointRadius(points.length),
        fill: (point: (typeof points)[number]) => point.mark.colour,
        symbol: (point: (typeof points)[number]) => point.mark.shape,
        fillOpacity: 0.72,
        title: (point: (typeof points)[number]) =>
          `${point.imageId}: ${formatGrams(point.observed)} → ${formatGrams(point.predicted)} g`,
      }),
    ],
    symbol: { type: 'identity' },
    color: { type: 'identity' },
  });
}
