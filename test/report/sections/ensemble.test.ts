import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/report/index.ts';
import type { EnsembleFacts } from '../../../src/runs/scores.ts';
import { inventedRows, runResults } from '../run-results.ts';

const rows = inventedRows(24);
const facts: EnsembleFacts = {
  nested_by: 'fold',
  in_sample: 0.75,
  stages: [
    { step: 'combination', weighted_r2: 0.71 },
    { step: 'calibration', weighted_r2: 0.7 },
  ],
  members: [
    {
      run: '../<a>',
      recipe: 'feature-ridge',
      weighted_r2: 0.68,
      weights: [0.6, 0.6, 0.6, 0.6, 0.6],
      without: 0.66,
    },
    {
      run: '../b',
      recipe: 'feature-boost',
      weighted_r2: Number.NaN,
      weights: [0.4, 0.4, 0.4, 0.4, 0.4],
      without: null,
    },
  ],
  correlation: [
    [1, 0.84],
    [0.84, 1],
  ],
  alone: null,
  lacking_states: [],
};

async function page(changes: Parameters<typeof runResults>[1]): Promise<Document> {
  const source = await renderReport(runResults(rows, changes), { worstCount: 0 });
  return new JSDOM(source).window.document;
}

describe('the report of an ensemble', () => {
  it('shows members, weights, what leaving each out costs, correlations and steps', async () => {
    const section = (await page({ ensemble: facts })).querySelector('#ensemble');
    const cells = [...(section?.querySelectorAll('tr') ?? [])].map((row) =>
      [...row.children].map((cell) => cell.textContent?.replaceAll(/\s+/g, ' ').trim()),
    );
    expect(cells).toEqual([
      ['Member', 'weighted R²', 'weight', 'ensemble without it', 'costs'],
      ['1 feature-ridge ../<a>', '0.680', '0.600', '0.660', '+0.040'],
      ['2 feature-boost ../b', '–', '0.400', '–', '–'],
      ['Step', 'weighted R² after it', 'change'],
      ['combination', '0.710', ''],
      ['calibration', '0.700', '−0.010'],
    ]);
    expect(section?.textContent).toContain('0.750 instead of 0.700');
    expect(section?.querySelector('svg')?.textContent).toContain('0.84');
  });

  it('shows what members score in States that nothing has seen, or names those that cannot tell', async () => {
    const members = facts.members.map((member, index) => ({ ...member, unseen_states: 0.5 + index / 8 }));
    const known = (await page({ ensemble: { ...facts, members } })).querySelector('#ensemble');
    expect(known?.querySelector('thead')?.textContent).toMatch(/in unseen States$/);
    expect(
      [...(known?.querySelectorAll('tbody')[0]?.querySelectorAll('td:last-child') ?? [])].map(
        ({ textContent }) => textContent,
      ),
    ).toEqual(['0.500', '0.625']);
    const lacking = (await page({ ensemble: { ...facts, lacking_states: ['../b'] } })).querySelector(
      '#ensemble',
    );
    expect(lacking?.textContent).toMatch(/No score of States held out one at a time: \.\.\/b holds no such/);
    expect(lacking?.textContent).not.toContain('in unseen States');
  });

  it('shows weights of each target where they differ, and is not there for other runs', async () => {
    const [first] = facts.members;
    if (!first) throw new Error('the facts have no member');
    const alone = {
      ...facts,
      nested_by: null,
      members: [{ ...first, weights: [0, 1, 0, 1, 0.5] }],
      correlation: [[1]],
    };
    const section = (await page({ ensemble: alone })).querySelector('#ensemble');
    expect(section?.querySelectorAll('thead th')).toHaveLength(9 + 3);
    expect(section?.textContent).toContain('nothing was fitted');
    expect(section?.querySelector('svg')).toBeNull();
    expect((await page({})).querySelector('#ensemble')).toBeNull();
  });
});

describe('the learning curve by sessions', () => {
  it('has a row a part with the mean over draws', async () => {
    const bySessions = [
      { share: 0.5, sessions: 4, photos: 10, weighted_r2: [0.4, 0.5, 0.6] },
      { share: 1, sessions: 8, photos: 20, weighted_r2: [0.7] },
    ];
    const section = (await page({ bySessions })).querySelector('#learning-by-sessions');
    const cells = [...(section?.querySelectorAll('tbody tr') ?? [])].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(cells).toEqual([
      ['50 %', '4.0', '10', '0.500', '0.100'],
      ['100 %', '8.0', '20', '0.700', '–'],
    ]);
    expect(section?.querySelector('svg')).not.toBeNull();
  });
});
