import { type PlotOptions, plot } from '@observablehq/plot';
import { type Markup, trusted } from '../markup.ts';

/**
 * Width of every plot's drawing, in CSS pixels. It is a phone's width on purpose: one plot fills a phone at
 * natural size, two or three stand side by side on a desk or on paper, and the lettering is legible on all.
 */
export const PLOT_WIDTH = 360;

/** Class the page's style sheet knows plots by; fixed, so that output does not depend on what ran before. */
const PLOT_CLASS = 'plot';

/**
 * Draws a plot into a string of SVG that scales with its box.
 *
 * @param document where elements are made; nothing is added to it
 * @param description what the plot shows, for people who cannot see it
 */
export function drawPlot(document: Document, description: string, options: PlotOptions): Markup {
  const drawn = plot({
    width: PLOT_WIDTH,
    style: { fontSize: '11px' },
    ...options,
    className: PLOT_CLASS,
    document,
  });
  // Plot writes its style sheet into every drawing; the page carries it once.
  for (const style of drawn.querySelectorAll('style')) style.remove();
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', description);
  return trusted(drawn.outerHTML.replace(/<[^>]*>/g, roundedNumbers));
}

/** Two decimals of a pixel are more than a printer resolves, and a third of the bytes. */
function roundedNumbers(tag: string): string {
  if (tag.startsWith('<svg')) return tag;
  return tag.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) => String(Math.round(Number(number) * 100) / 100));
}
