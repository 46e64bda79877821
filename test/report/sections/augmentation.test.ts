import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/report/index.ts';
import { sheetPhotos, sheetPlan } from '../../../src/report/sections/augmentation.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import { inventedRows, runResults } from '../run-results.ts';

let folder = '';
let photoPath = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-augmentation-'));
  photoPath = join(folder, 'photo.jpg');
  await sharp({ create: { width: 200, height: 100, channels: 3, background: '#557733' } })
    .jpeg()
    .toFile(photoPath);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const estimator = { kind: 'network', augmentation: 'heavy' };

function results(settings: unknown, path: string | null): RunResults {
  const rows = inventedRows(9).map((row) => ({ ...row, photoPath: path }));
  return runResults(rows, { settings });
}

async function sheetOf(run: RunResults): Promise<Element | null> {
  return new JSDOM(await renderReport(run, { worstCount: 0 })).window.document.querySelector('#augmentation');
}

describe('the sheet of augmented samples', () => {
  it('shows three photos, each as it is and six times augmented, with what was applied', async () => {
    const run = results({ input: { size: 64 }, estimator }, photoPath);
    const sheet = await sheetOf(run);
    const figures = [...(sheet?.querySelectorAll('figure') ?? [])];
    expect(figures).toHaveLength(3 * 7);
    const captions = figures.map((figure) => figure.querySelector('figcaption')?.textContent ?? '');
    expect(captions.filter((caption) => caption === 'as it is')).toHaveLength(3);
    expect(captions.some((caption) => /flip|turn|scale|HSV|contrast/.test(caption))).toBe(true);
    expect(sheet?.textContent).toContain('64 × 64');
    const source = figures[1]?.querySelector('img')?.getAttribute('src') ?? '';
    const { width, height } = await sharp(Buffer.from(source.split(',')[1] ?? '', 'base64')).metadata();
    expect([width, height]).toEqual([200, 200]);
    expect((await sheetOf(run))?.innerHTML).toBe(sheet?.innerHTML);
  });

  it('is left out where the recipe augments nothing or no photo can be read', async () => {
    expect(
      await sheetOf(results({ estimator: { ...estimator, augmentation: 'none' } }, photoPath)),
    ).toBeNull();
    expect(await sheetOf(results({ estimator: { kind: 'ridge' } }, photoPath))).toBeNull();
    expect(await sheetOf(results({ estimator }, null))).toBeNull();
    expect(await sheetOf(results({ estimator }, join(folder, 'moved.jpg')))).toBeNull();
  });

  it('takes photos from all over the run', () => {
    const rows = inventedRows(9).map((row, index) => ({
      ...row,
      photoPath: index === 3 ? null : `${index}.jpg`,
    }));
    expect(sheetPhotos(rows)).toEqual(['0.jpg', '2.jpg', '6.jpg']);
    expect(sheetPhotos(rows.slice(3, 5))).toEqual(['4.jpg']);
  });

  it('understands a recipe as resolved, and one that only mixes batches has no sheet', () => {
    const plan = sheetPlan({ estimator });
    expect(plan?.settings.preset).toBe('heavy');
    expect(plan?.side).toBe(512);
    expect(sheetPlan({ estimator: { ...estimator, augmentation: plan?.settings } })).toEqual(plan);
    expect(sheetPlan({ estimator: { augmentation: { batch: { probability: 1 } } } })).toBeUndefined();
    expect(sheetPlan(null)).toBeUndefined();
  });
});
