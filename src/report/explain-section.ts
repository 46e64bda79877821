import { axisY, barX, gridX } from '@observablehq/plot';
import type { ColumnEffect } from '../estimators/trees/explain.ts';
import type { PageSection } from './document.ts';
import { html } from './markup.ts';
import { formatGrams, formatNumber } from './numbers.ts';
import { drawPlot } from './plots/canvas.ts';

const ROW_HEIGHT = 22;

/**
 * What the columns of the input do to predictions of Total, as bars. Null when no column does anything.
 *
 * @param effects the largest first
 * @param shown how many of them are drawn; the others are summed up in words
 * @param photos how many photos the effects are means of
 */
export function explainSection(
  document: Document,
  effects: readonly ColumnEffect[],
  shown: number,
  photos: number,
): PageSection | null {
  const moving = effects.filter(({ meanAbsolute }) => meanAbsolute > 0);
  if (moving.length === 0) return null;
  const drawn = moving.slice(0, shown);
  const others = moving.slice(shown);
  const rest = others.reduce((sum, { meanAbsolute }) => sum + meanAbsolute, 0);
  const labels = drawn.map(({ column }) => column);
  const drawing = drawPlot(document, 'Mean size of the contribution of each column to Total, in grams', {
    height: drawn.length * ROW_HEIGHT + 46,
    marginLeft: Math.min(150, 14 + 6.5 * Math.max(...labels.map((label) => label.length))),
    marginRight: 14,
    marginTop: 8,
    marginBottom: 38,
    x: { label: 'mean |contribution|, g', zero: true, ticks: 5 },
    y: { type: 'band', domain: labels, label: null, padding: 0.25 },
    marks: [
      gridX({ ticks: 5, strokeOpacity: 0.12 }),
      axisY({ tickSize: 0, lineWidth: 12, textOverflow: 'ellipsis' }),
      barX(drawn, { x: 'meanAbsolute', y: 'column', fill: '#0072b2' }),
    ],
  });
  const rows = drawn.map(
    ({ column, meanAbsolute }) =>
      html`<tr><th scope="row">${column}</th><td>${formatNumber(meanAbsolute, 2)}</td></tr>`,
  );
  return {
    id: 'explain',
    heading: 'What predictions are made of',
    body: html`<p>How far each column of the input moves the predicted Total of a photo from what the model expects of any photo: the
mean size of its Shapley value (TreeSHAP) over ${formatNumber(photos, 0)} photos. It tells what the trees look at, not what makes pasture grow.</p>
<div class="beside"><figure>${drawing}</figure><div class="scroll"><table class="numbers"><thead><tr><th scope="col">Column</th><th scope="col">g a quadrat</th></tr></thead><tbody>${rows}</tbody></table></div></div>
${
  others.length === 0
    ? null
    : html`<p class="quiet">${formatNumber(others.length, 0)} further columns have ${formatGrams(rest)} g together.</p>`
}`,
  };
}
