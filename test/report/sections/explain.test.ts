import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { explainSection } from '../../../src/report/sections/explain.ts';
import type { ColumnEffects } from '../../../src/runs/results.ts';

/** The section as elements. */
function rendered(effects: ColumnEffects['effects'], shown: number): Document {
  const section = explainSection({ effects, shown, photos: 282 });
  if (!section) throw new Error('there should be a section');
  return new JSDOM(`<h2>${section.heading}</h2>${section.body.source}`).window.document;
}

describe('the section on what predictions are made of', () => {
  const effects = [
    { column: 'green share', meanAbsolute: 4.26 },
    { column: '<b>', meanAbsolute: 2 },
    { column: 'vit 3', meanAbsolute: 0.5 },
    { column: 'vit 4', meanAbsolute: 0.25 },
    { column: 'vit 5', meanAbsolute: 0 },
  ];

  it('draws a bar for each of the largest, as long as the effect, and tells the rest together', () => {
    const page = rendered(effects, 2);
    const widths = [...page.querySelectorAll('[aria-label="bar"] rect')].map((bar) =>
      Number(bar.getAttribute('width')),
    );
    expect(widths).toHaveLength(2);
    expect((widths[0] ?? 0) / (widths[1] ?? 0)).toBeCloseTo(4.26 / 2, 2);
    const cells = [...page.querySelectorAll('tbody tr')].map((row) => row.textContent);
    expect(cells).toEqual(['green share4.26', '<b>2.00']);
    expect(page.body.textContent).toContain('over 282 photos');
    expect(page.body.textContent).toContain('2 further columns have 0.8 g together');
  });

  it('leaves out columns that do nothing, and is not there when all do nothing', () => {
    expect(rendered(effects, 10).querySelectorAll('tbody tr')).toHaveLength(4);
    expect(rendered(effects, 10).body.textContent).not.toContain('further columns');
    expect(explainSection({ effects: [{ column: 'a', meanAbsolute: 0 }], shown: 5, photos: 10 })).toBeNull();
  });
});
