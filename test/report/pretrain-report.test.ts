import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { renderPretrainReport } from '../../src/report/pretrain-report.ts';
import type { PretrainingManifest } from '../../src/runs/manifest.ts';
import { resolvePretrainSettings } from '../support/written-settings.ts';

const ACCURACY = 'validation top-1 accuracy';

function manifest(changes: Partial<PretrainingManifest> = {}): PretrainingManifest {
  const classes = Array.from({ length: 50 }, (_, at) => ({
    name: `species ${at}`,
    photos: 10 + at,
    held_out: 2,
  }));
  return {
    format: 2,
    kind: 'pretraining',
    files: {},
    status: 'complete',
    sward: '0.1.0',
    seed: 3,
    settings: resolvePretrainSettings([]),
    backbone: {
      ...{ name: 'models/<own>.safetensors', source: 'file own', sha256: 'aa', arch: 'dinov2' },
      origin: { source: 'catalogue net', sha256: 'bb', licence: 'DINOv3' },
    },
    photos: {
      ...{ source: '../photos', count: 1725, held_out: 100, fingerprint: 'cc' },
      labels: { kind: 'classes', classes },
    },
    curves: [0.2, 0.6, 0.5].map((score, at) => ({
      epoch: at + 1,
      'training loss': 3 - at,
      'validation loss': 2.5 - at / 2,
      [ACCURACY]: score,
    })),
    result: { file: 'backbone.safetensors', bytes: 99, sha256: 'dd', epoch: 2 },
    fingerprint: 'ee',
    ...changes,
  };
}

const page = (given: PretrainingManifest, score = ACCURACY): Document =>
  new JSDOM(renderPretrainReport(given, score)).window.document;

const figures = (document: Document): string[] =>
  [...document.querySelectorAll('figure.curve figcaption')].map(({ textContent }) => textContent);

describe('the report of a pretraining', () => {
  it('begins with the score of the epoch that was kept, beside what guessing would score', () => {
    const document = page(manifest());
    expect(document.querySelector('h1')?.textContent).toBe('Pretraining: <own>.safetensors');
    const tiles = [...document.querySelectorAll('.tile')].map(({ textContent }) =>
      textContent.replaceAll('\n', ' '),
    );
    expect(tiles[0]).toBe('Top-1 accuracy0.600held-out photos');
    expect(tiles.at(-1)).toContain('weights of epoch 2 kept');
    expect(document.querySelector('#headline p')?.textContent).toMatch(
      /right for 0\.020 of .* 50 classes for 0\.020/,
    );
  });

  it('draws a figure a metric without a fold', () => {
    const document = page(manifest());
    expect(figures(document)).toEqual(['loss', ACCURACY]);
    expect(document.querySelector('figure svg')?.getAttribute('aria-label')).toBe('loss over epoch');
    expect([...document.querySelectorAll('figure svg path')].length).toBeGreaterThan(0);
  });

  it('lists classes with the most photos, and says how many there are besides', () => {
    const labels = page(manifest()).querySelector('#labels');
    expect(labels?.querySelectorAll('tbody tr')).toHaveLength(40);
    expect(labels?.querySelector('tbody th')?.textContent).toBe('species 49');
    expect(labels?.textContent).toContain('10 more classes');
  });

  it('shows the licence, and the columns of a table with what was left out', () => {
    const { photos } = manifest();
    const column = { name: 'grass & clover', photos: 90, held_out: 9, mean: 12.34567, deviation: 0.5 };
    const labels = {
      kind: 'columns',
      columns: [column],
      left_out: { columns: ['observer'], photos: 4 },
    } as const;
    const given = manifest({
      photos: {
        ...photos,
        labels: { ...labels, columns: [column], left_out: { columns: ['observer'], photos: 4 } },
      },
    });
    const document = page(given, 'validation R² grass & clover');
    expect(document.querySelector('#labels tbody tr')?.textContent).toBe('grass & clover90912.350.5');
    expect(document.querySelector('#labels p')?.textContent).toContain(
      'Left out: observer. Rows without a number: 4.',
    );
    expect(document.querySelector('#provenance')?.textContent).toContain('DINOv3');
  });

  it('has no score where nothing was held out, and no curve of one epoch', () => {
    const { photos } = manifest();
    const document = page(
      manifest({ photos: { ...photos, held_out: 0 }, curves: [{ epoch: 1, 'training loss': 2 }] }),
    );
    expect(document.querySelector('#headline p')?.textContent).toMatch(/No photos were held out/);
    expect(figures(document)).toEqual([]);
  });
});
