import { line, type Markish, type PlotOptions, plot } from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import { Markup } from '../page/markup.ts';

/**
 * Width of every plot's drawing, in CSS pixels. It is a phone's width on purpose: one plot fills a phone at
 * natural size, two or three stand side by side on a desk or on paper, and the lettering is legible on all.
 */
const PLOT_WIDTH = 360;

/** Okabe and Ito's palette (2008) without its yellow, which is too pale on white, and with a violet. */
export const BLUE = '#0072b2';
export const PALETTE = [BLUE, '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#5b3a8c'];

export const INK = '#333333';

/** How a line is drawn that others are compared with. */
export const REFERENCE = { stroke: INK, strokeDasharray: '5,4' } as const;

/** Where drawings make their elements; nothing is ever added to it. */
const { document } = new JSDOM('').window;

/**
 * Draws a plot into a string of SVG that scales with its box.
 *
 * @param description what the plot shows, for people who cannot see it
 */
export function drawPlot(description: string, options: PlotOptions): Markup {
  const drawn = plot({
    width: PLOT_WIDTH,
    style: { fontSize: '11px' },
    color: { type: 'identity' },
    symbol: { type: 'identity' },
    ...options,
    // Fixed, so that output does not depend on what ran before; the page's style sheet knows plots by it.
    className: 'plot',
    document,
  });
  // Plot writes its style sheet into every drawing; the page carries it once.
  for (const style of drawn.querySelectorAll('style')) style.remove();
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', description);
  return new Markup(drawn.outerHTML.replace(/<[^>]*>/g, roundedNumbers));
}

/** Two decimals of a pixel are more than a printer resolves, and a third of the bytes. */
function roundedNumbers(tag: string): string {
  if (tag.startsWith('<svg')) return tag;
  return tag.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) => String(Math.round(Number(number) * 100) / 100));
}

/** A square plot of two quantities of one kind, with the line on which they agree. */
export function drawAgreement(
  description: string,
  domain: [number, number],
  labels: { readonly x: string; readonly y: string },
  marks: readonly Markish[],
): Markup {
  const margin = { marginTop: 22, marginRight: 14, marginBottom: 36, marginLeft: 40 };
  const side = PLOT_WIDTH - margin.marginLeft - margin.marginRight;
  const diagonal = line(
    domain.map((value) => [value, value]),
    REFERENCE,
  );
  return drawPlot(description, {
    ...margin,
    height: side + margin.marginTop + margin.marginBottom,
    x: { domain, label: labels.x, ticks: 6, grid: true },
    y: { domain, label: labels.y, ticks: 6, grid: true },
    marks: [diagonal, ...marks],
  });
}
