import { axisY, dot, gridX, rect, ruleX, text } from '@observablehq/plot';
import { quantileSorted } from '../../ground/statistics.ts';
import type { PhotoGroup } from '../groups.ts';
import type { Markup } from '../markup.ts';
import { formatSigned } from '../numbers.ts';
import type { TargetColumn } from '../target-columns.ts';
import { drawPlot } from './canvas.ts';
import { markOf, pointRadius, type StateMark } from './state-marks.ts';

/** Fewer photos than this get no box: quartiles of so few say nothing. */
const LEAST_FOR_BOX = 5;

/** Below this a median would only hide the points it stands for. */
const LEAST_FOR_MEDIAN = 3;

/** Longest line of a group's name before it is broken, in characters. */
const LABEL_CHARACTERS = 17;

/** Room at the right for the count of photos, in pixels. */
const COUNT_WIDTH = 28;

const GOLDEN_FRACTION = 0.6180339887498949;

interface ResidualPoint {
  readonly title: string;
  readonly residual: number;
  readonly y: number;
  readonly mark: StateMark;
}

interface ResidualBox {
  readonly y: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly count: number;
}

/** Least and greatest residual of all photos, with zero inside: the axis that all groupings share. */
export function residualDomain(groups: readonly PhotoGroup[], target: TargetColumn): [number, number] {
  const residuals = groups.flatMap((group) => residualsOf(group, target).map((entry) => entry.residual));
  const low = residuals.reduce((least, value) => Math.min(least, value), -1);
  const high = residuals.reduce((most, value) => Math.max(most, value), 1);
  const margin = 0.03 * (high - low);
  return [low - margin, high + margin];
}

/**
 * Residuals (predicted − observed, grams) of one target, a row for each group in the order given: one point a
 * photo, the middle half as a box, the median as a bar and the count of photos at the right.
 */
export function drawResidualStrips(
  document: Document,
  groups: readonly PhotoGroup[],
  target: TargetColumn,
  marks: readonly StateMark[],
  domain: [number, number],
  grouping: string,
): Markup {
  const labels = groups.map((group) => brokenLabel(group.label));
  const counts = groups.map((group, y) => ({ y, count: String(group.rows.length) }));
  const decimals = domain[1] - domain[0] < 8 ? 1 : 0;
  const rowHeight = rowHeightFor(labels);
  const photoCount = groups.reduce((sum, group) => sum + group.rows.length, 0);
  const points = groups.flatMap((group, index) => pointsOf(group, index, target, marks));
  const boxes = groups.flatMap((group, index) => boxOf(group, index, target));
  const longest = Math.max(...labels.flatMap((label) => label.split('\n').map((part) => part.length)));
  return drawPlot(document, `${target.label}: predicted minus observed mass by ${grouping}`, {
    height: groups.length * rowHeight + 60,
    marginLeft: 18 + 6.4 * longest,
    marginRight: COUNT_WIDTH + 2,
    marginTop: 18,
    marginBottom: 40,
    x: {
      domain,
      label: 'predicted − observed, g',
      ticks: 5,
      tickFormat: (value: number) => formatSigned(value, decimals),
    },
    y: { type: 'linear', domain: [groups.length - 0.5, -0.5], label: null },
    marks: [
      gridX({ ticks: 5, strokeOpacity: 0.12 }),
      axisY(
        groups.map((_, index) => index),
        { tickSize: 0, tickPadding: 6, tickFormat: (index: number) => labels[index] ?? '' },
      ),
      rect(
        boxes.filter((box) => box.count >= LEAST_FOR_BOX),
        {
          x1: 'lower',
          x2: 'upper',
          y1: (box: ResidualBox) => box.y - 0.36,
          y2: (box: ResidualBox) => box.y + 0.36,
          fill: '#dfe5e1',
        },
      ),
      ruleX([0], { stroke: '#333333', strokeDasharray: '5,4' }),
      dot(points, {
        x: 'residual',
        y: 'y',
        r: Math.min(2.6, pointRadius(photoCount)),
        fill: (point: ResidualPoint) => point.mark.colour,
        symbol: (point: ResidualPoint) => point.mark.shape,
        fillOpacity: 0.72,
        title: 'title',
      }),
      ruleX(
        boxes.filter((box) => box.count >= LEAST_FOR_MEDIAN),
        {
          x: 'median',
          y1: (box: ResidualBox) => box.y - 0.36,
          y2: (box: ResidualBox) => box.y + 0.36,
          stroke: '#111111',
          strokeWidth: 2,
        },
      ),
      text(counts, {
        y: 'y',
        text: 'count',
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: COUNT_WIDTH,
        fill: '#5a655f',
      }),
      text(['n'], { frameAnchor: 'top-right', textAnchor: 'end', dx: COUNT_WIDTH, dy: -14, fill: '#5a655f' }),
    ],
    symbol: { type: 'identity' },
    color: { type: 'identity' },
  });
}

function residualsOf(
  group: PhotoGroup,
  target: TargetColumn,
): { row: PhotoGroup['rows'][number]; residual: number }[] {
  return group.rows
    .map((row) => ({ row, residual: row.predicted[target.key] - row.observed[target.key] }))
    .filter((entry) => Number.isFinite(entry.residual))
    .sort((a, b) => a.residual - b.residual);
}

function pointsOf(
  group: PhotoGroup,
  index: number,
  target: TargetColumn,
  marks: readonly StateMark[],
): ResidualPoint[] {
  return residualsOf(group, target).map(({ row, residual }, rank) => ({
    title: `${row.imageId}: ${formatSigned(residual, 1)} g`,
    residual,
    // Multiples of the golden fraction keep neighbours apart without chance, so the page stays the same.
    y: index + ((((rank + 1) * GOLDEN_FRACTION) % 1) - 0.5) * 0.6,
    mark: markOf(marks, row.state),
  }));
}

function boxOf(group: PhotoGroup, index: number, target: TargetColumn): ResidualBox[] {
  const sorted = residualsOf(group, target).map((entry) => entry.residual);
  if (sorted.length === 0) return [];
  return [
    {
      y: index,
      lower: quantileSorted(sorted, 0.25),
      median: quantileSorted(sorted, 0.5),
      upper: quantileSorted(sorted, 0.75),
      count: sorted.length,
    },
  ];
}

function rowHeightFor(labels: readonly string[]): number {
  const lines = Math.max(...labels.map((label) => label.split('\n').length));
  const forText = 6 + 12 * lines;
  return Math.max(forText, labels.length <= 6 ? 40 : labels.length <= 16 ? 26 : 19);
}

/** Breaks a long name after an underscore or space; what still does not fit two lines is cut. */
function brokenLabel(label: string): string {
  if (label.length <= LABEL_CHARACTERS) return label;
  const lines = [''];
  for (const word of label.split(/(?<=[_ ])/)) {
    const last = lines.length - 1;
    const extended = `${lines[last] ?? ''}${word}`;
    if (extended.length <= LABEL_CHARACTERS || lines[last] === '') lines[last] = extended;
    else lines.push(word);
  }
  const [first = '', second = '', ...rest] = lines;
  const shortened = (line: string): string =>
    line.length > LABEL_CHARACTERS ? `${line.slice(0, LABEL_CHARACTERS - 1)}…` : line;
  if (second === '') return shortened(first);
  return `${shortened(first)}\n${rest.length > 0 ? `${second.slice(0, LABEL_CHARACTERS - 1)}…` : shortened(second)}`;
}
