import { dot, line } from '@observablehq/plot';
import { meanAndDeviation } from '../../ground/statistics.ts';
import type { LearningBySessions } from '../../runs/learning-by-sessions.ts';
import type { PageSection } from '../page/document.ts';
import { html } from '../page/markup.ts';
import { formatCount, formatNumber, formatR2 } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { BLUE, drawPlot } from '../plots/canvas.ts';

/** Score by number of training sessions, as a figure and a table. */
export function learningBySessionsSection(points: LearningBySessions): PageSection {
  const means = points.map((point) => ({ ...point, ...meanAndDeviation(point.weighted_r2) }));
  const draws = points.flatMap(({ sessions, weighted_r2 }) =>
    weighted_r2.map((score) => ({ sessions, score })),
  );
  const most = Math.max(...points.map(({ sessions }) => sessions));
  const drawing = drawPlot('Weighted R² over the number of training sessions', {
    height: 240,
    marginLeft: 44,
    x: { label: 'training sessions', domain: [0, most * 1.05] },
    y: { label: 'weighted R²', nice: true, grid: true },
    marks: [
      line(means, { x: 'sessions', y: 'mean', stroke: BLUE, strokeWidth: 2 }),
      dot(draws, { x: 'sessions', y: 'score', r: 3, fill: BLUE, fillOpacity: 0.5 }),
    ],
  });
  const rows = means.map(({ share, sessions, photos, mean, deviation }) => [
    `${formatCount(100 * share)} %`,
    formatNumber(sessions, 1),
    formatCount(photos),
    formatR2(mean),
    formatR2(deviation),
  ]);
  return {
    id: 'learning-by-sessions',
    heading: 'What more sessions would bring',
    body: html`<p>Every fold predicted by models that were trained on a part of the other sessions only, drawn at random (one dot a draw).
Where the line still rises at its end, more sampling dates are worth more than a better model.</p>
<div class="beside"><figure>${drawing}</figure>${numbersTable(['Part', 'sessions', 'photos', 'weighted R²', 'sd of draws'], rows)}</div>`,
  };
}
