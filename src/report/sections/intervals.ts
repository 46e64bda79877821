import { dot, line } from '@observablehq/plot';
import { type NestedCoverage, nestedCoverage, USUAL_COVERAGE } from '../../pasture/intervals/index.ts';
import { calibrationRows } from '../../runs/calibration.ts';
import type { OutOfFoldRow } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount, formatGrams, formatNumber } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { drawAgreement } from '../plots/canvas.ts';
import { TARGET_COLUMNS, type TargetColumn } from '../rows/target-columns.ts';

/** Coverages that are drawn. */
const NOMINALS = [0.5, 0.6, 0.7, 0.8, USUAL_COVERAGE, 0.95];

/** One a target, after Okabe & Ito (2008); green is green. */
const COLOURS = ['#009e73', '#a6761d', '#cc79a7', '#0072b2', '#1c2420'];

interface TargetCoverage {
  readonly target: TargetColumn;
  readonly colour: string;
  readonly levels: readonly NestedCoverage[];
}

/**
 * How prediction intervals do on sessions that had no part in making them: actual against asked coverage, and widths
 * beside those of intervals of constant width. Null with fewer than three sessions.
 */
export function intervalsSection(rows: readonly OutOfFoldRow[]): PageSection | null {
  const targets: TargetCoverage[] = TARGET_COLUMNS.flatMap((target, index) => {
    const finite = calibrationRows(rows, index).filter(
      ({ predicted, observed }) => Number.isFinite(predicted) && Number.isFinite(observed),
    );
    const levels = nestedCoverage(finite, NOMINALS);
    return levels ? [{ target, colour: COLOURS[index] ?? '', levels }] : [];
  });
  if (targets.length === 0) return null;
  const legend = targets.map(
    ({ target, colour }) => html`<li><span style="color:${colour}">●</span> ${target.label}</li>`,
  );
  return {
    id: 'intervals',
    heading: 'How far predictions may be off',
    body: html`<p><code>sward predict --coverage 0.9</code> adds an interval to every mass. Here each session's intervals were made from
the other sessions alone, as for photos of a new date. On the dashed line a line does what it promises.</p>
<div class="beside"><figure>${drawReliability(targets)}
<ul class="legend">${legend}</ul></figure>${coverageTable(targets)}</div>
<p class="quiet">Widths in grams a quadrat, the part below 0 cut off. “Constant” is what intervals of the same half-width for all masses
would need for the same coverage. The last two columns are intervals of the mean of all photos of a session; they
are narrower than those of a photo only as far as its photos err independently.</p>`,
  };
}

function drawReliability(targets: readonly TargetCoverage[]): Markup {
  const points = targets.flatMap(({ target, colour, levels }) =>
    levels.map(({ nominal, single }) => {
      const [asked, actual] = [100 * nominal, 100 * single.photos];
      const title = `${target.label}: ${formatNumber(actual, 1)} % of ${formatCount(asked)} %`;
      return { target: target.label, colour, asked, actual, title };
    }),
  );
  return drawAgreement(
    'Share of photos within their interval over the share asked for, one line a target',
    [Math.min(40, ...points.map(({ actual }) => actual)), 100],
    { x: 'asked for, %', y: 'within, %' },
    [
      line(points, { x: 'asked', y: 'actual', stroke: 'colour', z: 'target' }),
      dot(points, { x: 'asked', y: 'actual', fill: 'colour', r: 3, title: 'title' }),
    ],
  );
}

function coverageTable(targets: readonly TargetCoverage[]): Markup {
  const percent = (share: number | undefined): string => `${formatNumber(100 * (share ?? Number.NaN), 1)} %`;
  const rows = targets.map(({ target, levels }) => {
    const usual = levels[NOMINALS.indexOf(USUAL_COVERAGE)];
    return [
      target.label,
      percent(usual?.single.photos),
      percent(usual?.single.sessions),
      formatGrams(usual?.single.width),
      formatGrams(usual?.constant.width),
      percent(usual?.mean.sessions),
      formatGrams(usual?.mean.width),
    ];
  });
  return numbersTable(
    [
      ...['At 90 %', 'photos within', 'mean of sessions', 'mean width, g', 'constant, g'],
      ...['session means within', 'width, g'],
    ],
    rows,
    { targets: targets.map(({ target }) => target.name) },
  );
}
