import type { OutOfFoldRow } from '../runs/results.ts';
import { groupBySpecies, groupByTime, isRecorded, type PhotoGroup } from './groups.ts';
import { html, type Markup } from './markup.ts';
import { drawResidualStrips, residualDomain } from './plots/residual-strips.ts';
import { drawStateLegend, type StateMark } from './plots/state-marks.ts';
import { meanErrorTable } from './tables.ts';
import { TARGET_COLUMNS } from './target-columns.ts';

/** A table of mean errors this short stands open; longer ones open on a click. */
const OPEN_TABLE_ROWS = 8;

/**
 * Residuals of total mass by State, species and date as strips on one shared axis, and the mean error of every
 * target in each group as tables.
 */
export function residualsBody(
  document: Document,
  rows: readonly OutOfFoldRow[],
  states: readonly PhotoGroup[],
  marks: readonly StateMark[],
): Markup {
  const total = TARGET_COLUMNS.find((column) => column.key === 'total');
  if (total === undefined) throw new RangeError('there is no column for total mass');
  const domain = residualDomain(states, total);
  const byState = { heading: 'State', groups: states };
  const bySpecies = { heading: 'species', groups: groupBySpecies(rows) };
  const byTime = { heading: 'date', groups: groupByTime(rows) };
  const figure = ({ heading, groups }: typeof byState): Markup =>
    isRecorded(groups)
      ? html`<figure data-grouping="${heading}"><figcaption><strong>By ${heading}</strong> <span class="quiet">n photos at the right</span></figcaption>
${drawResidualStrips(document, groups, total, marks, domain, heading)}</figure>`
      : html`<p class="quiet">No ${heading} is recorded for these photos.</p>`;
  const stateTable = isRecorded(states)
    ? html`<div>${drawStateLegend(document, marks)}<h3>Mean error by State, grams</h3>${meanErrorTable('State', states, 'compact')}</div>`
    : null;
  const tables = [bySpecies, byTime]
    .filter(({ groups }) => isRecorded(groups))
    .map(
      ({ heading, groups }) => html`<details${groups.length <= OPEN_TABLE_ROWS ? html` open` : null}>
<summary>Mean error of every target by ${heading}, grams</summary>
${meanErrorTable(heading, groups)}</details>`,
    );
  return html`<p>Predicted − observed total dry mass in grams, one mark a photo; right of the dashed line the prediction is too
high. The black bar is the median (from three photos on), the grey box the middle half (from five on).</p>
<div class="figures residuals"><div class="stack">${figure(byState)}${stateTable}</div>${figure(bySpecies)}${figure(byTime)}</div>
${tables}`;
}
