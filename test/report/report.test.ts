import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { TARGET_NAMES } from '../../src/pasture/targets.ts';
import { type ReportOptions, renderReport, writeReport } from '../../src/report/index.ts';
import { formatGrams, formatR2, formatSigned } from '../../src/report/page/numbers.ts';
import type { RunResults } from '../../src/runs/results.ts';
import { inventedRows, masses, runResults, scoreOf } from './run-results.ts';

async function rendered(results: RunResults, options?: ReportOptions): Promise<Document> {
  return new JSDOM(await renderReport(results, options)).window.document;
}

function text(node: ParentNode | null, selector: string): string {
  return node?.querySelector(selector)?.textContent?.trim() ?? '';
}

function cells(row: Element | null | undefined): string[] {
  return [...(row?.children ?? [])].map((cell) => cell.textContent?.trim() ?? '');
}

describe('a report', () => {
  const rows = inventedRows(60);
  const results = runResults(rows);

  it('leads with the pooled score, the spread over folds, the photos and the error a hectare', async () => {
    const document = await rendered(results);
    const figures = [...document.querySelectorAll('.tile .figure')].map((tile) => tile.textContent);
    const perFold = results.perFold.map((entry) => entry.score.weightedR2);
    const mean = perFold.reduce((sum, value) => sum + value, 0) / perFold.length;
    const deviation = Math.sqrt(
      perFold.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (perFold.length - 1),
    );
    const rmse = results.outOfFold.perTarget.Dry_Total_g.rmse;
    expect(figures).toContain(results.outOfFold.weightedR2.toFixed(3));
    expect(figures).toContain(`${mean.toFixed(3)} ± ${deviation.toFixed(3)}`);
    expect(figures).toContain(`${rmse.toFixed(1)} g`);
    expect(figures).toContain('60');
    expect(text(document, '#headline')).toContain(`${Math.round(rmse * 47.619)} kg DM/ha`);
  });

  it('gives every target its R², RMSE, MAE and bias', async () => {
    const document = await rendered(results);
    for (const name of TARGET_NAMES) {
      const fit = results.outOfFold.perTarget[name];
      const row = cells(document.querySelector(`#targets tr[data-target="${name}"]`));
      expect(row[0]).toContain(name);
      expect(row[2]).toBe(formatR2(fit.r2));
      expect(row[3]).toBe(formatGrams(fit.rmse));
      expect(row[5]).toBe(formatGrams(fit.mae));
      expect(row[6]).toBe(formatSigned(fit.bias, 1));
    }
  });

  it('shows each fold in a table and in a plot', async () => {
    const document = await rendered(results);
    const table = [...document.querySelectorAll('#folds tbody tr')].map(cells);
    expect(table.map((row) => row[0])).toEqual(results.perFold.map(({ fold }) => `fold ${fold}`));
    expect(table.map((row) => row[2])).toEqual(
      results.perFold.map(({ score }) => formatR2(score.weightedR2)),
    );
    expect(text(document, '#folds svg')).toContain('fold 3');
  });

  it('plots every photo once for each of the five targets, with the name of its State in the legend', async () => {
    const document = await rendered(results);
    const panels = [...document.querySelectorAll('#observed-predicted figure')];
    expect(panels.map((panel) => panel.getAttribute('data-target'))).toEqual([...TARGET_NAMES]);
    for (const panel of panels) expect(panel.querySelectorAll('[aria-label="dot"] path')).toHaveLength(60);
    const legend = [...document.querySelectorAll('#observed-predicted .legend li')];
    expect(legend.map((entry) => entry.textContent?.trim())).toEqual([
      'NSW n = 15',
      'Tas n = 15',
      'Vic n = 15',
      'WA n = 15',
    ]);
    const shapes = legend.map((entry) => entry.querySelector('path')?.getAttribute('d'));
    expect(new Set(shapes).size).toBe(4);
  });

  it('draws the residuals by State, species and date, sessions in order of time', async () => {
    const document = await rendered(results);
    const groupings = [...document.querySelectorAll('#residuals figure')];
    expect(groupings.map((figure) => figure.getAttribute('data-grouping'))).toEqual([
      'State',
      'species',
      'date',
    ]);
    for (const figure of groupings)
      expect(figure.querySelectorAll('[aria-label="dot"] path')).toHaveLength(60);
    const drawn = text(groupings[2] ?? null, 'svg');
    expect(drawn.indexOf('2015-01-04')).toBeGreaterThan(-1);
    expect(drawn.indexOf('2015-01-04')).toBeLessThan(drawn.indexOf('2015-12-04'));
  });

  it('has its parts in the order a reader asks for them', async () => {
    const held = { pooled: scoreOf(rows), perState: [{ state: 'Tas', score: scoreOf(rows.slice(0, 9)) }] };
    const curves = [
      {
        fold: 0,
        lines: [
          { epoch: 1, loss: 2 },
          { epoch: 2, loss: 1 },
        ],
      },
    ];
    const document = await rendered(runResults(rows, { leaveOneStateOut: held, curves }));
    expect([...document.querySelectorAll('main > section')].map((section) => section.id)).toEqual([
      'targets',
      'folds',
      'observed-predicted',
      'residuals',
      'intervals',
      'leave-one-state-out',
      'worst-photos',
      'learning-curves',
      'settings',
      'provenance',
    ]);
    const row = cells(document.querySelector('#leave-one-state-out tbody tr'));
    expect(row.slice(0, 3)).toEqual(['Tas', '9', formatR2(held.perState[0]?.score.weightedR2 ?? 0)]);
    for (const link of document.querySelectorAll('nav a')) {
      expect(document.querySelector(link.getAttribute('href') ?? '')).not.toBeNull();
    }
  });

  it('shows settings as pretty JSON and provenance as it was given', async () => {
    const document = await rendered(results);
    expect(text(document, '#settings pre')).toBe('{\n  "grid": [0.1, 1, 10]\n}');
    const provenance = [...document.querySelectorAll('#provenance tr')].map(cells);
    expect(provenance).toEqual(Object.entries(results.provenance));
  });

  it('needs nothing beside itself: no script, no style sheet, no picture and no link to elsewhere', async () => {
    const page = await renderReport(results);
    const outside = page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '');
    expect(outside).not.toMatch(/https?:\/\//);
    const { document } = new JSDOM(page).window;
    expect(document.querySelectorAll('script, link, iframe, object, svg style')).toHaveLength(0);
    for (const picture of document.querySelectorAll('img'))
      expect(picture.getAttribute('src')).toMatch(/^data:/);
    expect(outside).not.toMatch(/url\(|@import/);
  });

  it('fits a phone and a sheet of paper: plots scale, wide tables scroll in their own box', async () => {
    const document = await rendered(results);
    expect(document.querySelector('meta[name="viewport"]')?.getAttribute('content')).toContain(
      'width=device-width',
    );
    for (const drawing of document.querySelectorAll('svg')) {
      expect(drawing.getAttribute('viewBox')).toMatch(/^0 0 \d+/);
      expect(drawing.getAttribute('aria-label')).not.toBe('');
    }
    for (const table of document.querySelectorAll('table.numbers')) {
      expect(table.parentElement?.className).toBe('scroll');
    }
    expect(text(document, 'style')).toContain('@media print');
  });

  it('is the same to the byte each time, whatever was drawn in between', async () => {
    const first = await renderReport(results);
    await renderReport(runResults(inventedRows(7, 3)));
    expect(await renderReport(results)).toBe(first);
  });

  it('is written whole into a folder that need not exist', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sward-report-'));
    try {
      const path = join(folder, 'run', 'report.html');
      await writeReport(path, results, { title: 'North paddock' });
      expect(await readFile(path, 'utf8')).toBe(await renderReport(results, { title: 'North paddock' }));
      expect(await readdir(join(folder, 'run'))).toEqual(['report.html']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('text that means something in HTML', () => {
  it('is shown as it is, wherever it comes from', async () => {
    const nasty = `<img src=x onerror="alert('1')">&amp;`;
    const rows = inventedRows(6).map((row) => ({
      ...row,
      imageId: `${nasty}${row.imageId}`,
      state: nasty,
      species: nasty,
    }));
    const document = await rendered(
      runResults(rows, {
        recipeName: nasty,
        settings: { [nasty]: nasty, nested: { [nasty]: [nasty] } },
        provenance: { [nasty]: nasty },
        leaveOneStateOut: { pooled: scoreOf(rows), perState: [{ state: nasty, score: scoreOf(rows) }] },
        curves: [{ fold: 0, lines: [{ [nasty]: 1 }, { [nasty]: 2 }] }],
      }),
    );
    expect(document.querySelectorAll('[onerror]')).toHaveLength(0);
    expect(text(document, 'h1')).toContain(nasty);
    expect(text(document, 'title')).toContain(nasty);
    expect(text(document, '#provenance .value')).toBe(nasty);
    expect(text(document, '#learning-curves figcaption')).toBe(nasty);
    expect(text(document, '#worst-photos .id')).toContain(nasty);
    expect(text(document, '#observed-predicted .legend')).toContain(nasty);
    expect(text(document, '#residuals details th[scope="row"]')).toBe(nasty);
  });
});

describe('a run with little to show', () => {
  it('of one photo without fold, State, date or species still renders, a dash where R² has no meaning', async () => {
    const row = {
      imageId: 'only',
      photoPath: null,
      fold: 0,
      session: 'ID1',
      observed: masses(1, 2, 3),
      predicted: masses(2, 2, 2),
      date: null,
      state: null,
      species: null,
    };
    const document = await rendered(runResults([row], { perFold: [] }));
    expect(cells(document.querySelector('#targets tbody tr'))[2]).toBe('–');
    expect(text(document, '#folds')).toContain('no folds');
    expect(document.querySelectorAll('#residuals svg, .legend')).toHaveLength(0);
    expect(text(document, '#residuals')).toContain('No State is recorded');
    expect(document.querySelectorAll('#residuals .figures')).toHaveLength(0);
    expect(document.querySelectorAll('#observed-predicted svg')).toHaveLength(5);
    expect(document.querySelector('html')?.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('without States has no place for their plot, and says in a line that none is recorded', async () => {
    const rows = inventedRows(24).map((row) => ({ ...row, state: null }));
    const document = await rendered(runResults(rows));
    const figures = document.querySelector('#residuals .figures');
    const children = [...(figures?.children ?? [])];
    expect(children.map((child) => child.getAttribute('data-grouping'))).toEqual(['species', 'date']);
    expect(figures?.textContent).not.toContain('recorded');
    expect(text(document, '#residuals')).toContain('No State is recorded for these photos.');
  });

  it('of no photos shows its scores and settings only', async () => {
    const scored = runResults(inventedRows(3));
    const document = await rendered({ ...scored, rows: [], perFold: [] });
    const sections = [...document.querySelectorAll('main > section')].map((section) => section.id);
    expect(sections).toEqual(['targets', 'folds', 'settings', 'provenance']);
  });

  it('with predictions that are not numbers leaves those photos out of the plots and says nothing false', async () => {
    const [first, ...others] = inventedRows(8);
    const broken = { ...first, predicted: masses(Number.NaN, 1, 1) } as (typeof others)[number];
    const document = await rendered(runResults([broken, ...others]));
    const greenPanel = document.querySelector('#observed-predicted [data-target="Dry_Green_g"]');
    expect(greenPanel?.querySelectorAll('[aria-label="dot"] path')).toHaveLength(7);
    expect(text(document, '.tile .figure')).toBe('–');
    expect(document.querySelector('main')?.innerHTML).not.toContain('NaN');
  });

  it('with some States unrecorded names them so, after the others', async () => {
    const rows = inventedRows(12).map((row, index) => (index < 3 ? { ...row, state: null } : row));
    const document = await rendered(runResults(rows));
    const legend = [...document.querySelectorAll('#observed-predicted .legend li')];
    expect(legend.at(-1)?.textContent?.trim()).toBe('not recorded n = 3');
  });
});

describe('a run of a thousand photos', () => {
  it('draws them all and stays a page that a phone can open', async () => {
    const page = await renderReport(runResults(inventedRows(1000)));
    expect(page.length).toBeLessThan(3_000_000);
    const { document } = new JSDOM(page).window;
    expect(document.querySelectorAll('#observed-predicted [aria-label="dot"] title')).toHaveLength(5000);
  });
});
