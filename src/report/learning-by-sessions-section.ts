import { dot, gridY, line } from '@observablehq/plot';
import { meanAndDeviation } from '../ground/statistics.ts';
import type { LearningBySessions } from '../runs/learning-by-sessions.ts';
import type { PageSection } from './document.ts';
import { html } from './markup.ts';
import { formatNumber, formatR2 } from './numbers.ts';
import { drawPlot } from './plots/canvas.ts';

/** Score by number of sessions learnt from, as a figure and a table. */
export function learningBySessionsSection(document: Document, points: LearningBySessions): PageSection {
  const means = points.map((point) => ({ ...point, ...meanAndDeviation(point.weighted_r2) }));
  const draws = points.flatMap(({ sessions, weighted_r2 }) =>
    weighted_r2.map((score) => ({ sessions, score })),
  );
  const drawing = drawPlot(document, 'Weighted R² over the number of sessions learnt from', {
    height: 240,
    marginLeft: 44,
    x: {
      label: 'training sessions',
      domain: [0, Math.max(...points.map(({ sessions }) => sessions)) * 1.05],
    },
    y: { label: 'weighted R²', nice: true },
    marks: [
      gridY({ strokeOpacity: 0.12 }),
      line(means, { x: 'sessions', y: 'mean', stroke: '#0072b2', strokeWidth: 2 }),
      dot(draws, { x: 'sessions', y: 'score', r: 3, fill: '#0072b2', fillOpacity: 0.5 }),
    ],
  });
  const rows = means.map(
    ({ share, sessions, photos, mean, deviation }) =>
      html`<tr><th scope="row">${formatNumber(100 * share, 0)} %</th><td>${formatNumber(sessions, 1)}</td><td>${formatNumber(photos, 0)}</td><td>${formatR2(mean)}</td><td>${formatR2(deviation)}</td></tr>`,
  );
  return {
    id: 'learning-by-sessions',
    heading: 'What more sessions would bring',
    body: html`<p>Every fold predicted by models that learnt from a part of the other sessions only, drawn at random (one dot a draw).
Where the line still rises at its end, more sampling dates are worth more than a better model.</p>
<div class="beside"><figure>${drawing}</figure><div class="scroll"><table class="numbers"><thead><tr><th scope="col">Part</th><th scope="col">sessions</th><th scope="col">photos</th><th scope="col">weighted R²</th><th scope="col">sd of draws</th></tr></thead><tbody>${rows}</tbody></table></div></div>`,
  };
}
