import { dot, gridX, gridY, line } from '@observablehq/plot';
import { type NestedCoverage, nestedCoverage } from '../pasture/intervals/index.ts';
import type { OutOfFoldRow } from '../runs/results.ts';
import { calibrationRows } from '../runs/uncertainty.ts';
import type { PageSection } from './document.ts';
import { html, type Markup } from './markup.ts';
import { formatGrams, formatNumber } from './numbers.ts';
import { drawPlot, PLOT_WIDTH } from './plots/canvas.ts';
import { TARGET_COLUMNS, type TargetColumn } from './target-columns.ts';

/** Coverages that are drawn. */
const NOMINALS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/** The coverage that is told in the table: what `predict` writes unless asked otherwise. */
const USUAL = 0.9;

const MARGIN = { marginTop: 22, marginRight: 14, marginBottom: 36, marginLeft: 40 };

/** Colours that stay apart for people who see few (Okabe & Ito 2008), one a target. */
const COLOURS = ['#009e73', '#a6761d', '#cc79a7', '#0072b2', '#1c2420'];

interface TargetCoverage {
  readonly target: TargetColumn;
  readonly levels: readonly NestedCoverage[];
}

/**
 * How prediction intervals do on sessions that had no part in making them: actual against asked coverage, and widths
 * beside those of intervals of constant width. Null with fewer than three sessions.
 */
export function intervalsSection(document: Document, rows: readonly OutOfFoldRow[]): PageSection | null {
  const targets: TargetCoverage[] = TARGET_COLUMNS.flatMap((target, index) => {
    const finite = calibrationRows(rows, index).filter(
      ({ predicted, observed }) => Number.isFinite(predicted) && Number.isFinite(observed),
    );
    const levels = nestedCoverage(finite, NOMINALS);
    return levels ? [{ target, levels }] : [];
  });
  if (targets.length === 0) return null;
  return {
    id: 'intervals',
    heading: 'How far predictions may be off',
    body: html`<p><code>sward predict --coverage 0.9</code> adds an interval to every mass. Here each session's intervals were made from
the other sessions alone, as for photos of a new date. On the dashed line a line does what it promises.</p>
<div class="beside"><figure>${drawReliability(document, targets)}
<ul class="legend">${TARGET_COLUMNS.map(
      ({ label }, index) => html`<li><span style="color:${COLOURS[index] ?? ''}">●</span> ${label}</li>`,
    )}</ul></figure>${coverageTable(targets)}</div>
<p class="quiet">Widths in grams a quadrat, the part below 0 cut off. “Constant” is what intervals of the same half-width for all masses
would need for the same coverage. The last two columns are intervals of the mean of all photos of a session; they
are narrower than those of a photo only as far as its photos err independently.</p>`,
  };
}

function drawReliability(document: Document, targets: readonly TargetCoverage[]): Markup {
  const points = targets.flatMap(({ target, levels }, index) =>
    levels.map(({ nominal, single }) => ({
      target: target.label,
      colour: COLOURS[index] ?? '#000000',
      asked: 100 * nominal,
      actual: 100 * single.photos,
    })),
  );
  const side = PLOT_WIDTH - MARGIN.marginLeft - MARGIN.marginRight;
  const domain: [number, number] = [Math.min(40, ...points.map(({ actual }) => actual)), 100];
  return drawPlot(
    document,
    'Share of photos within their interval over the share asked for, one line a target',
    {
      ...MARGIN,
      height: side + MARGIN.marginTop + MARGIN.marginBottom,
      x: { domain, label: 'asked for, %', ticks: 6 },
      y: { domain, label: 'within, %', ticks: 6 },
      color: { type: 'identity' },
      marks: [
        gridX({ ticks: 6, strokeOpacity: 0.12 }),
        gridY({ ticks: 6, strokeOpacity: 0.12 }),
        line(
          domain.map((share) => [share, share]),
          { stroke: '#333333', strokeDasharray: '5,4' },
        ),
        line(points, { x: 'asked', y: 'actual', stroke: 'colour', z: 'target' }),
        dot(points, {
          x: 'asked',
          y: 'actual',
          fill: 'colour',
          r: 3,
          title: (point: (typeof points)[number]) =>
            `${point.target}: ${formatNumber(point.actual, 1)} % of ${formatNumber(point.asked, 0)} %`,
        }),
      ],
    },
  );
}

function coverageTable(targets: readonly TargetCoverage[]): Markup {
  const rows = targets.map(({ target, levels }) => {
    const usual = levels.find(({ nominal }) => nominal === USUAL);
    if (usual === undefined) throw new RangeError(`coverage ${USUAL} is not among those drawn`);
    const { single, constant, mean } = usual;
    const percent = (share: number): string => `${formatNumber(100 * share, 1)} %`;
    return html`<tr data-target="${target.name}"><th scope="row">${target.label}</th><td>${percent(single.photos)}</td><td>${percent(single.sessions)}</td><td>${formatGrams(single.width)}</td><td>${formatGrams(constant.width)}</td><td>${percent(mean.sessions)}</td><td>${formatGrams(mean.width)}</td></tr>`;
  });
  return html`<div class="scroll"><table class="numbers"><thead><tr><th scope="col">At 90 %</th><th scope="col">photos within</th><th scope="col">mean of sessions</th><th scope="col">mean width, g</th><th scope="col">constant, g</th><th scope="col">session means within</th><th scope="col">width, g</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
