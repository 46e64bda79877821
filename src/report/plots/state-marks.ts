import { dot } from '@observablehq/plot';
import { html, type Markup } from '../page/markup.ts';
import { type PhotoGroup, UNRECORDED } from '../rows/groups.ts';
import { drawPlot, PALETTE } from './canvas.ts';

const SHAPES = ['circle', 'triangle', 'square', 'diamond2', 'star', 'cross', 'wye'] as const;

/** How one State's photos are drawn: colour and shape both, so that neither colour sight nor ink is needed. */
export interface StateMark {
  readonly label: string;
  readonly colour: string;
  readonly shape: (typeof SHAPES)[number] | 'hexagon';
  readonly count: number;
}

/** For photos without a State, and for States beyond the palette. */
const REST = { colour: '#767676', shape: 'hexagon' } as const;

/** Gives each State its mark, in the order of `groups`. */
export function stateMarks(groups: readonly PhotoGroup[]): StateMark[] {
  return groups.map(({ label, rows }, index) => {
    const [colour, shape] = [PALETTE[index], SHAPES[index]];
    const own = label !== UNRECORDED && colour && shape ? { colour, shape } : REST;
    return { label, count: rows.length, ...own };
  });
}

/** The mark of a photo's State. */
export function markOf(marks: readonly StateMark[], state: string | null): StateMark {
  const label = state || UNRECORDED;
  return marks.find((mark) => mark.label === label) ?? { label, count: 0, ...REST };
}

/** How a plot draws photos, given that many of them: small enough that they can be told apart. */
export function photoDots(count: number) {
  return {
    r: count <= 150 ? 3 : count <= 500 ? 2.4 : 1.8,
    fill: ({ mark }: { readonly mark: StateMark }): string => mark.colour,
    symbol: ({ mark }: { readonly mark: StateMark }): string => mark.shape,
    fillOpacity: 0.72,
    title: 'title',
  };
}

/** A list of the States with their marks and counts of photos. */
export function drawStateLegend(marks: readonly StateMark[]): Markup {
  const entries = marks.map(({ label, shape, colour, count }) => {
    const swatch = drawPlot(`mark of ${label}`, {
      width: 16,
      height: 16,
      margin: 8,
      x: { axis: null, domain: [-1, 1] },
      y: { axis: null, domain: [-1, 1] },
      marks: [dot([0], { x: 0, y: 0, r: 5, symbol: shape, fill: colour })],
    });
    return html`<li>${swatch} ${label} <span class="quiet">n = ${count}</span></li>`;
  });
  return html`<ul class="legend">${entries}</ul>`;
}
