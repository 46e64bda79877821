import { dot } from '@observablehq/plot';
import { type PhotoGroup, UNRECORDED } from '../groups.ts';
import { html, type Markup } from '../markup.ts';
import { drawPlot } from './canvas.ts';

type SymbolShape = 'circle' | 'triangle' | 'square' | 'diamond2' | 'star' | 'cross' | 'wye' | 'hexagon';

/** How one State's photos are drawn: colour and shape both, so that neither colour sight nor ink is needed. */
export interface StateMark {
  readonly label: string;
  readonly colour: string;
  readonly shape: SymbolShape;
  readonly count: number;
}

/** Okabe and Ito's palette without its yellow, which is too pale for points on white. */
const MARKS: readonly { readonly colour: string; readonly shape: SymbolShape }[] = [
  { colour: '#0072b2', shape: 'circle' },
  { colour: '#d55e00', shape: 'triangle' },
  { colour: '#009e73', shape: 'square' },
  { colour: '#cc79a7', shape: 'diamond2' },
  { colour: '#e69f00', shape: 'star' },
  { colour: '#56b4e9', shape: 'cross' },
  { colour: '#5b3a8c', shape: 'wye' },
];

/** For photos without a State, and for States beyond the palette. */
const REST = { colour: '#767676', shape: 'hexagon' } as const;

/** Gives each State its mark, in the order of `groups`. */
export function stateMarks(groups: readonly PhotoGroup[]): StateMark[] {
  return groups.map((group, index) => ({
    label: group.label,
    count: group.rows.length,
    ...(group.label === UNRECORDED ? REST : (MARKS[index] ?? REST)),
  }));
}

/** The mark of a photo's State. */
export function markOf(marks: readonly StateMark[], state: string | null): StateMark {
  const label = state || UNRECORDED;
  return marks.find((mark) => mark.label === label) ?? { label, count: 0, ...REST };
}

/** Radius in pixels at which this many points on one plot can still be told apart. */
export function pointRadius(count: number): number {
  return count <= 150 ? 3 : count <= 500 ? 2.4 : 1.8;
}

/** A list of the States with their marks and counts of photos. */
export function drawStateLegend(document: Document, marks: readonly StateMark[]): Markup {
  const entries = marks.map((mark) => {
    const swatch = drawPlot(document, `mark of ${mark.label}`, {
      width: 16,
      height: 16,
      margin: 8,
      x: { axis: null, domain: [-1, 1] },
      y: { axis: null, domain: [-1, 1] },
      marks: [dot([0], { x: 0, y: 0, r: 5, symbol: mark.shape, fill: mark.colour })],
    });
    return html`<li>${swatch} ${mark.label} <span class="quiet">n = ${mark.count}</span></li>`;
  });
  return html`<ul class="legend">${entries}</ul>`;
}
