import { line, text } from '@observablehq/plot';
import { extent } from 'd3-array';
import type { RunResults } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount } from '../page/numbers.ts';
import { drawPlot, INK, PALETTE } from '../plots/canvas.ts';
import { type CurvePanel, curvePanels, stepKeyOf } from '../plots/curve-panels.ts';

/** From this ratio of greatest to least on, an axis of positive values is logarithmic. */
const LOG_RATIO = 50;

/** A step axis is logarithmic when it spans this much: penalties do, epochs do not. */
const LOG_STEP_RATIO = 1000;

const MARGIN = { marginTop: 10, marginRight: 24, marginBottom: 36, marginLeft: 46 };

/** Height of the frame and least distance between two fold numbers at its right, in pixels. */
const FRAME_HEIGHT = 190;
const LABEL_GAP = 11;

interface CurvePoint {
  readonly fold: number;
  readonly step: number;
  readonly value: number;
}

/**
 * One figure for each metric that the folds recorded, a line a fold, over epochs or whatever steps there are; null
 * where no fold has two lines.
 *
 * @param numbered whether lines have their fold's number at the end; false where there are no folds
 */
export function learningCurvesSection(curves: RunResults['curves'], numbered = true): PageSection | null {
  const drawn = curves.filter(({ lines }) => lines.length >= 2);
  const lines = drawn.flatMap((curve) => curve.lines);
  const stepKey = stepKeyOf(lines);
  const panels = curvePanels(lines, stepKey);
  if (panels.length === 0) return null;
  const folds = numbered ? `One line a fold (${formatCount(drawn.length)}), its number at the end. ` : '';
  const dashes = panels.some(({ trainingKey, heldOutKey }) => trainingKey !== null && heldOutKey !== null)
    ? 'Solid lines are held-out photos, thin dashed lines training photos.'
    : '';
  const figures = panels.map(
    (panel) => html`<figure class="curve"><figcaption><strong>${panel.title}</strong></figcaption>
${drawPanel(drawn, panel, stepKey, numbered)}</figure>`,
  );
  return {
    id: 'learning-curves',
    // Lines of a closed form are one a penalty; nothing is learnt from line to line.
    heading: /penalt/i.test(stepKey ?? '') ? 'Penalties tried' : 'Learning curves',
    body: html`<p>${folds}${dashes}</p>
<div class="figures">${figures}</div>`,
  };
}

function drawPanel(
  curves: RunResults['curves'],
  { title, trainingKey, heldOutKey }: CurvePanel,
  stepKey: string | null,
  numbered: boolean,
): Markup {
  const heldOut = pointsOf(curves, stepKey, heldOutKey);
  const training = pointsOf(curves, stepKey, trainingKey);
  const [main, beside] = heldOut.length > 0 ? [heldOut, training] : [training, []];
  const all = [...main, ...beside];
  const folds = curves.map((curve) => curve.fold);
  const colourOf = ({ fold }: CurvePoint): string => PALETTE[folds.indexOf(fold) % PALETTE.length] ?? INK;
  const steps = axisFor(
    all.map((point) => point.step),
    LOG_STEP_RATIO,
  );
  const values = axisFor(
    all.map((point) => point.value),
    LOG_RATIO,
  );
  const channels = { x: 'step', y: 'value', z: 'fold', stroke: colourOf } as const;
  return drawPlot(`${title} over ${stepKey ?? 'steps'}${numbered ? ', one line a fold' : ''}`, {
    ...MARGIN,
    height: FRAME_HEIGHT + MARGIN.marginTop + MARGIN.marginBottom,
    x: { ...scaleOf(steps), label: stepKey ?? 'line of metrics.jsonl' },
    y: { ...scaleOf(values), label: null },
    marks: [
      line(beside, { ...channels, strokeWidth: 1, strokeDasharray: '3,3', strokeOpacity: 0.8 }),
      line(main, { ...channels, strokeWidth: 1.6 }),
      text(numbered ? endLabels(main, values) : [], {
        x: 'step',
        y: 'at',
        text: (label: EndLabel) => String(label.fold),
        fill: colourOf,
        textAnchor: 'start',
        dx: 5,
        fontWeight: 'bold',
      }),
    ],
  });
}

function pointsOf(
  curves: RunResults['curves'],
  stepKey: string | null,
  valueKey: string | null,
): CurvePoint[] {
  if (valueKey === null) return [];
  return curves.flatMap(({ fold, lines }) =>
    lines
      .map((entry, index) => ({
        fold,
        step: stepKey === null ? index + 1 : (entry[stepKey] ?? Number.NaN),
        value: entry[valueKey] ?? Number.NaN,
      }))
      .filter(({ step, value }) => Number.isFinite(step) && Number.isFinite(value)),
  );
}

interface EndLabel extends CurvePoint {
  /** Where the label stands, as a value of the axis. */
  readonly at: number;
}

/** The last point of each fold with a place for its number, pushed apart where lines end close together. */
function endLabels(points: readonly CurvePoint[], axis: Axis): EndLabel[] {
  const last = [...new Map(points.map((point) => [point.fold, point])).values()];
  const gap = LABEL_GAP / FRAME_HEIGHT;
  const sorted = last.sort((a, b) => a.value - b.value || a.fold - b.fold);
  const places: number[] = [];
  for (const point of sorted) {
    const below = places.at(-1);
    const own = fractionOf(point.value, axis);
    places.push(below === undefined ? own : Math.max(own, below + gap));
  }
  // Pushing upwards may leave the frame; the pile then slides down as one.
  const excess = Math.max(0, (places.at(-1) ?? 0) - 1);
  return sorted.map((point, index) => ({ ...point, at: valueAt((places[index] ?? 0) - excess, axis) }));
}

interface Axis {
  readonly type: 'log' | 'linear';
  readonly domain: [number, number];
}

function fractionOf(value: number, { type, domain: [low, high] }: Axis): number {
  return type === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

function valueAt(fraction: number, { type, domain: [low, high] }: Axis): number {
  return type === 'log' ? low * (high / low) ** fraction : low + fraction * (high - low);
}

/** A logarithmic axis for positive values that span at least `ratio`; otherwise linear. */
function axisFor(values: readonly number[], ratio: number): Axis {
  const [low = 0, high = 1] = extent(values);
  if (low > 0 && high / low >= ratio) return { type: 'log', domain: [low, high] };
  const pad = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  return { type: 'linear', domain: [low - pad, high + pad] };
}

/** The options of an axis, with a grid. */
function scaleOf(axis: Axis) {
  return { ...axis, ticks: ticksFor(axis), tickFormat: tickText, grid: true };
}

/** About five ticks: round steps on a linear axis, powers of ten (with their halves and doubles) on a logarithmic one. */
function ticksFor({ type, domain: [low, high] }: Axis): number | number[] {
  if (type === 'linear') return 5;
  const decades = Math.log10(high / low);
  const multiples = decades <= 2.5 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / 6));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % stride !== 0) continue;
    // Through its decimal spelling, for 10 ** -4 is not 0.0001 to the last bit.
    ticks.push(...multiples.map((multiple) => Number(`${multiple}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

function tickText(value: number): string {
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential() : String(Number(value.toPrecision(6)));
  return text.replaceAll('-', '−').replace('e+', 'e');
}
