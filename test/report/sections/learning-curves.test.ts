import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import type { MetricLine } from '../../../src/learning/estimator.ts';
import { renderReport } from '../../../src/report/index.ts';
import { curvePanels, stepKeyOf } from '../../../src/report/plots/curve-panels.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import { inventedRows, runResults } from '../run-results.ts';

async function curveSection(curves: RunResults['curves']): Promise<Element | null> {
  const page = await renderReport(runResults(inventedRows(10), { curves }));
  return new JSDOM(page).window.document.querySelector('#learning-curves');
}

const epochs: MetricLine[] = [1, 2, 3, 4].map((epoch) => ({
  epoch,
  trainLoss: 10 / epoch,
  validLoss: 12 / epoch,
  validWeightedR2: 0.6 - 1 / epoch,
  learningRate: 10 ** -epoch,
  batchSize: 8,
  seconds: 3 + epoch,
}));

describe('learning curves', () => {
  it('are left out where no fold has two lines', async () => {
    expect(await curveSection([])).toBeNull();
    expect(await curveSection([{ fold: 0, lines: [{ epoch: 1, loss: 2 }] }])).toBeNull();
  });

  it('draw a line a fold for each metric, training beside held-out values', async () => {
    const section = await curveSection([
      { fold: 0, lines: epochs },
      { fold: 1, lines: epochs },
      { fold: 2, lines: epochs.slice(0, 1) },
    ]);
    const figures = [...(section?.querySelectorAll('figure') ?? [])];
    expect(figures.map((figure) => figure.querySelector('figcaption')?.textContent)).toEqual([
      'loss',
      'validWeightedR2',
      'learningRate',
    ]);
    const lineCounts = figures.map((figure) => figure.querySelectorAll('[aria-label="line"] path').length);
    expect(lineCounts).toEqual([4, 2, 2]);
    expect(section?.querySelector('p')?.textContent).toContain('dashed');
  });

  it('put falling learning rates on powers of ten and epochs on even steps', async () => {
    const section = await curveSection([{ fold: 0, lines: epochs }]);
    const rate = section?.querySelector('figure:last-child svg');
    const ticks = [...(rate?.querySelectorAll('[aria-label="y-axis tick label"] text') ?? [])];
    expect(ticks.map((tick) => tick.textContent)).toEqual(['1e−4', '0.001', '0.01', '0.1']);
  });

  it('stay drawable when a value is missing or never changes', async () => {
    const section = await curveSection([
      {
        fold: 0,
        lines: [
          { penalty: 0.001, rmse: 3 },
          { penalty: 1, rmse: Number.NaN },
          { penalty: 1000, rmse: 2 },
        ],
      },
    ]);
    expect(section?.querySelectorAll('figure')).toHaveLength(1);
    expect(section?.innerHTML).not.toMatch(/NaN|Infinity/);
    expect(section?.textContent).toContain('penalty');
  });
});

describe('choosing what to draw', () => {
  it('takes the counter that every line has for the axis', () => {
    expect(stepKeyOf([{ loss: 1, epoch: 1 }])).toBe('epoch');
    expect(stepKeyOf([{ globalStep: 1, loss: 1 }])).toBe('globalStep');
    expect(stepKeyOf([{ epoch: 1, penalty: 1 }, { penalty: 10 }])).toBe('penalty');
    expect(stepKeyOf([{ loss: 1 }])).toBeNull();
  });

  it('knows training and held-out values of one metric in the usual spellings', () => {
    for (const [training, heldOut] of [
      ['train_loss', 'val_loss'],
      ['trainLoss', 'heldOutLoss'],
      ['loss/training', 'loss/validation'],
    ] as const) {
      const lines = [
        { [training]: 1, [heldOut]: 2 },
        { [training]: 2, [heldOut]: 3 },
      ];
      expect(curvePanels(lines, null)).toEqual([
        { title: 'loss', trainingKey: training, heldOutKey: heldOut },
      ]);
    }
  });

  it('never hides a metric behind another of the same meaning', () => {
    const lines = [
      { val_loss: 1, test_loss: 2 },
      { val_loss: 2, test_loss: 3 },
    ];
    expect(curvePanels(lines, null).map((panel) => panel.heldOutKey)).toEqual(['val_loss', 'test_loss']);
  });

  it('shows losses first, then scores, then errors, eight at most, and leaves out clocks and constants', () => {
    const line = (value: number): MetricLine => ({
      a: value,
      b: value,
      c: value,
      d: value,
      e: value,
      f: value,
      rmse: value,
      r2: value,
      loss: value,
      seconds: value,
      peakMib: value,
      constant: 1,
    });
    const titles = curvePanels([line(1), line(2)], null).map((panel) => panel.title);
    expect(titles).toEqual(['loss', 'r2', 'rmse', 'a', 'b', 'c', 'd', 'e']);
  });
});
