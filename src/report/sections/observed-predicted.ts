import { dot } from '@observablehq/plot';
import { extent } from 'd3-array';
import type { RunResults } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatGrams, formatR2 } from '../page/numbers.ts';
import { drawAgreement } from '../plots/canvas.ts';
import { drawStateLegend, markOf, photoDots, type StateMark } from '../plots/state-marks.ts';
import { isRecorded, type PhotoGroup } from '../rows/groups.ts';
import { learntColumns, type TargetColumn } from '../rows/target-columns.ts';

/** Predicted over observed mass of every target; null without photos. */
export function observedSection(
  { rows, outOfFold }: RunResults,
  states: readonly PhotoGroup[],
  marks: readonly StateMark[],
): PageSection | null {
  if (rows.length === 0) return null;
  const panels = learntColumns(rows).map((target) => {
    const { r2, rmse } = outOfFold.perTarget[target.name];
    return html`<figure data-target="${target.name}"><figcaption><strong>${target.label}</strong> <span class="quiet">R² ${formatR2(r2)} · RMSE ${formatGrams(rmse)} g</span></figcaption>
${drawObservedPredicted(rows, target, marks)}</figure>`;
  });
  const hasStates = isRecorded(states);
  return {
    id: 'observed-predicted',
    heading: 'Observed against predicted',
    body: html`<div class="figures">${panels}<div class="key">${hasStates ? drawStateLegend(marks) : null}
<p class="quiet">One mark a photo${hasStates ? ', its shape and colour by State' : null}. On the dashed line prediction and cut agree; below it the
prediction is too low. Each panel has its own scale.</p></div></div>`,
  };
}

function drawObservedPredicted(
  rows: RunResults['rows'],
  { key, label }: TargetColumn,
  marks: readonly StateMark[],
): Markup {
  const points = rows
    .map(({ imageId, state, observed, predicted }) => ({
      observed: observed[key],
      predicted: predicted[key],
      mark: markOf(marks, state),
      title: `${imageId}: ${formatGrams(observed[key])} → ${formatGrams(predicted[key])} g`,
    }))
    .filter((point) => Number.isFinite(point.observed) && Number.isFinite(point.predicted));
  const [low = 0, high = 1] = extent([0, 1, ...points.flatMap((point) => [point.observed, point.predicted])]);
  return drawAgreement(
    `${label}: predicted over observed mass, one point a photo`,
    [low, high + 0.03 * (high - low)],
    { x: 'observed, g', y: 'predicted, g' },
    [dot(points, { x: 'observed', y: 'predicted', ...photoDots(points.length) })],
  );
}
