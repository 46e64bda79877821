import { axisY, dot, groupZ, rect, ruleX, text } from '@observablehq/plot';
import { extent } from 'd3-array';
import { mean } from '../../ground/statistics.ts';
import type { OutOfFoldRow } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatSigned } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { drawPlot, REFERENCE } from '../plots/canvas.ts';
import { drawStateLegend, markOf, photoDots, type StateMark } from '../plots/state-marks.ts';
import { groupBySpecies, groupByTime, isRecorded, type PhotoGroup } from '../rows/groups.ts';
import { learntColumns, mainColumn, type TargetColumn } from '../rows/target-columns.ts';

/** A table of mean errors this short stands open; longer ones open on a click. */
const OPEN_TABLE_ROWS = 8;

/** Fewer photos than this get no box or no median: of so few they say nothing or hide the points. */
const LEAST_FOR_BOX = 5;
const LEAST_FOR_MEDIAN = 3;

/** Longest line of a group's name before it is broken, in characters. */
const LABEL_CHARACTERS = 17;

/** Room at the right for the count of photos, in pixels. */
const COUNT_WIDTH = 28;

const GOLDEN_FRACTION = 0.6180339887498949;

interface Grouping {
  readonly heading: string;
  readonly groups: readonly PhotoGroup[];
}

/**
 * Residuals of total mass by State, species and date as strips on one shared axis, and the mean error of every
 * target in each group as tables; null without photos.
 */
export function residualsSection(
  rows: readonly OutOfFoldRow[],
  states: readonly PhotoGroup[],
  marks: readonly StateMark[],
): PageSection | null {
  if (rows.length === 0) return null;
  const columns = learntColumns(rows);
  const main = mainColumn(columns);
  const errors = rows.map((row) => residualOf(row, main)).filter(Number.isFinite);
  const [low = 0, high = 0] = extent([-1, 1, ...errors]);
  const margin = 0.03 * (high - low);
  const strips = ({ heading, groups }: Grouping): Markup =>
    html`<figure data-grouping="${heading}"><figcaption><strong>By ${heading}</strong> <span class="quiet">n photos at the right</span></figcaption>
${drawResidualStrips({ heading, groups }, marks, [low - margin, high + margin], main)}</figure>`;
  const byState = { heading: 'State', groups: states };
  const others = [
    { heading: 'species', groups: groupBySpecies(rows) },
    { heading: 'date', groups: groupByTime(rows) },
  ];
  // What is not recorded is said in a line, and has no place among the plots.
  const drawn = others.filter(({ groups }) => isRecorded(groups));
  const lacking = [byState, ...others].filter(({ groups }) => !isRecorded(groups));
  const ofStates = isRecorded(states)
    ? html`<div class="stack">${strips(byState)}<div>${drawStateLegend(marks)}<h3>Mean error by State, grams</h3>${meanErrorTable(byState, columns, true)}</div></div>`
    : null;
  const figures =
    lacking.length === others.length + 1
      ? null
      : html`<div class="figures residuals">${ofStates}${drawn.map(strips)}</div>`;
  const tables = drawn.map(
    (grouping) => html`<details${grouping.groups.length <= OPEN_TABLE_ROWS ? html` open` : null}>
<summary>Mean error of every target by ${grouping.heading}, grams</summary>
${meanErrorTable(grouping, columns)}</details>`,
  );
  return {
    id: 'residuals',
    heading: 'Where the errors are',
    body: html`<p>Predicted − observed ${main.key === 'total' ? 'total dry mass' : `dry mass of ${main.label}`} in grams, one mark a photo; right of the dashed line the prediction is too
high. The black bar is the median (from three photos on), the grey box the middle half (from five on).</p>
${figures}
${lacking.map(({ heading }) => html`<p class="quiet">No ${heading} is recorded for these photos.</p>`)}
${tables}`,
  };
}

/** Predicted − observed mass, grams; NaN where it was not measured. */
function residualOf({ predicted, observed }: OutOfFoldRow, { key }: TargetColumn): number {
  return predicted[key] - observed[key];
}

/** Mean error of every target in each group, grams; positive where predictions are too high. */
function meanErrorTable(
  { heading, groups }: Grouping,
  columns: readonly TargetColumn[],
  compact = false,
): Markup {
  const rows = groups.map(({ label, rows }) => [
    label,
    rows.length,
    ...columns.map((column) => {
      const measured = rows.filter(({ observed }) => !Number.isNaN(observed[column.key]));
      return formatSigned(mean(measured.map((row) => residualOf(row, column))), 1);
    }),
  ]);
  return numbersTable([heading, 'photos', ...columns.map(({ label }) => label)], rows, { compact });
}

/**
 * Residuals of total mass, a row for each group in the order given: one point a photo, the middle half as a box, the
 * median as a bar and the count of photos at the right.
 */
function drawResidualStrips(
  { heading: grouping, groups }: Grouping,
  marks: readonly StateMark[],
  domain: [number, number],
  main: TargetColumn,
): Markup {
  const labels = groups.map(({ label }) => brokenLabel(label));
  const lines = labels.map((label) => label.split('\n'));
  const forNames = 6 + 12 * Math.max(...lines.map(({ length }) => length));
  const rowHeight = Math.max(forNames, groups.length <= 6 ? 40 : groups.length <= 16 ? 26 : 19);
  const points = groups.flatMap((group, index) => residualPoints(group, index, marks, main));
  type Point = (typeof points)[number];
  const decimals = domain[1] - domain[0] < 8 ? 1 : 0;
  const band = { z: 'group', y1: ({ group }: Point) => group - 0.36, y2: ({ group }: Point) => group + 0.36 };
  const count = { textAnchor: 'end', dx: COUNT_WIDTH, fill: '#5a655f' } as const;
  return drawPlot(`${main.label}: predicted minus observed mass by ${grouping}`, {
    height: groups.length * rowHeight + 60,
    marginLeft: 18 + 6.4 * Math.max(...lines.flat().map(({ length }) => length)),
    marginRight: COUNT_WIDTH + 2,
    marginTop: 18,
    marginBottom: 40,
    x: {
      domain,
      label: 'predicted − observed, g',
      ticks: 5,
      grid: true,
      tickFormat: (value: number) => formatSigned(value, decimals),
    },
    y: { type: 'linear', domain: [groups.length - 0.5, -0.5], label: null },
    marks: [
      axisY([...groups.keys()], {
        tickSize: 0,
        tickPadding: 6,
        tickFormat: (index: number) => labels[index] ?? '',
      }),
      rect(
        points.filter(({ peers }) => peers >= LEAST_FOR_BOX),
        groupZ(
          { x1: 'p25', x2: 'p75', y1: 'first', y2: 'first' },
          { ...band, x1: 'residual', x2: 'residual', fill: '#dfe5e1' },
        ),
      ),
      ruleX([0], REFERENCE),
      dot(points, {
        x: 'residual',
        y: 'y',
        ...photoDots(points.length),
        r: points.length <= 500 ? 2.6 : 1.8,
      }),
      ruleX(
        points.filter(({ peers }) => peers >= LEAST_FOR_MEDIAN),
        groupZ(
          { x: 'median', y1: 'first', y2: 'first' },
          { ...band, x: 'residual', stroke: '#111111', strokeWidth: 2 },
        ),
      ),
      text(groups, {
        y: (_, index) => index,
        text: ({ rows }) => String(rows.length),
        frameAnchor: 'right',
        ...count,
      }),
      text(['n'], { frameAnchor: 'top-right', dy: -14, ...count }),
    ],
  });
}

function residualPoints(group: PhotoGroup, index: number, marks: readonly StateMark[], main: TargetColumn) {
  return group.rows
    .map((row) => ({ row, residual: residualOf(row, main) }))
    .filter(({ residual }) => Number.isFinite(residual))
    .sort((a, b) => a.residual - b.residual)
    .map(({ row, residual }, rank, { length }) => ({
      group: index,
      /** Photos of the group that have a residual. */
      peers: length,
      title: `${row.imageId}: ${formatSigned(residual, 1)} g`,
      residual,
      // Multiples of the golden fraction keep neighbours apart without chance, so the page stays the same.
      y: index + ((((rank + 1) * GOLDEN_FRACTION) % 1) - 0.5) * 0.6,
      mark: markOf(marks, row.state),
    }));
}

/** Breaks a long name after an underscore or space; what still does not fit two lines is cut. */
function brokenLabel(label: string): string {
  const lines = [''];
  for (const word of label.split(/(?<=[_ ])/)) {
    const extended = `${lines.at(-1) ?? ''}${word}`;
    if (extended.length <= LABEL_CHARACTERS || lines.at(-1) === '') lines[lines.length - 1] = extended;
    else lines.push(word);
  }
  const [first = '', second = '', ...rest] = lines;
  return [first, `${second}${rest.length > 0 ? '…' : ''}`]
    .filter((line) => line !== '')
    .map((line) => (line.length > LABEL_CHARACTERS ? `${line.slice(0, LABEL_CHARACTERS - 1)}…` : line))
    .join('\n');
}
