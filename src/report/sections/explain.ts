import { axisY, barX, gridX } from '@observablehq/plot';
import type { ColumnEffects } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html } from '../page/markup.ts';
import { formatCount, formatGrams, formatNumber } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { BLUE, drawPlot } from '../plots/canvas.ts';

const ROW_HEIGHT = 22;

/** What the columns of the input do to predictions of Total, as bars. Null when no column does anything. */
export function explainSection({ effects, shown, photos }: ColumnEffects): PageSection | null {
  const moving = effects.filter(({ meanAbsolute }) => meanAbsolute > 0);
  if (moving.length === 0) return null;
  const drawn = moving.slice(0, shown);
  const others = moving.slice(shown);
  const rest = others.reduce((sum, { meanAbsolute }) => sum + meanAbsolute, 0);
  const labels = drawn.map(({ column }) => column);
  const drawing = drawPlot('Mean size of the contribution of each column to Total, in grams', {
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
      barX(drawn, { x: 'meanAbsolute', y: 'column', fill: BLUE }),
    ],
  });
  const rows = drawn.map(({ column, meanAbsolute }) => [column, formatNumber(meanAbsolute, 2)]);
  return {
    id: 'explain',
    heading: 'What predictions are made of',
    body: html`<p>How far each column of the input moves the predicted Total of a photo from what the model expects of any photo: the
mean size of its Shapley value (TreeSHAP) over ${formatCount(photos)} photos. It tells what the trees look at, not what makes pasture grow.</p>
<div class="beside"><figure>${drawing}</figure>${numbersTable(['Column', 'g a quadrat'], rows)}</div>
${
  others.length === 0
    ? null
    : html`<p class="quiet">${formatCount(others.length)} further columns have ${formatGrams(rest)} g together.</p>`
}`,
  };
}
