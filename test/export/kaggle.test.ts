import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exportRun } from '../../src/export/export-run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { smallRuns } from './small-runs.ts';

const root = temporaryFolder('kaggle');
const out = join(root, 'out');
const notebookFolder = join(out, 'notebook');
const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(out, ...path), 'utf8'));
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** nbformat 4.5, as far as code and text go. */
const notebookSchema = z.strictObject({
  nbformat: z.literal(4),
  nbformat_minor: z.literal(5),
  metadata: z.object({ kernelspec: z.object({ name: z.literal('python3') }) }),
  cells: z.array(
    z.discriminatedUnion('cell_type', [
      z.strictObject({
        cell_type: z.literal('markdown'),
        id: z.string().regex(/^[\w-]{1,64}$/),
        metadata: z.object({}),
        source: z.array(z.string()),
      }),
      z.strictObject({
        cell_type: z.literal('code'),
        id: z.string().regex(/^[\w-]{1,64}$/),
        metadata: z.object({}),
        source: z.array(z.string()),
        execution_count: z.null(),
        outputs: z.array(z.never()),
      }),
    ]),
  ),
});

beforeAll(async () => {
  const runs = await smallRuns(root);
  const run = await runs.train('run', 'feature-ridge');
  await exportRun({ run, out, kaggle: { user: 'somebody' } });
});

describe('a Kaggle export', () => {
  it('has a dataset and a notebook, each with what the kaggle command wants', () => {
    expect(readdirSync(out).sort()).toEqual(['dataset', 'notebook']);
    expect(json('dataset', 'dataset-metadata.json')).toEqual({
      title: 'sward feature ridge',
      id: 'somebody/sward-feature-ridge',
      licenses: [{ name: 'other' }],
    });
    expect(json('notebook', 'kernel-metadata.json')).toMatchObject({
      id: 'somebody/sward-feature-ridge-submission',
      title: 'sward feature ridge submission',
      code_file: 'submission.ipynb',
      enable_internet: false,
      dataset_sources: ['somebody/sward-feature-ridge'],
      competition_sources: ['csiro-biomass'],
    });
    expect(readdirSync(join(out, 'dataset'))).toEqual(
      expect.arrayContaining(['README.md', 'model.json', 'model.onnx']),
    );
  });

  it('has a notebook of nbformat 4 whose code is that of the script', () => {
    const notebook = notebookSchema.parse(json('notebook', 'submission.ipynb'));
    expect(notebook.cells[0]?.cell_type).toBe('markdown');
    expect(notebook.cells[0]?.source[0]).toMatch(/^# Pasture biomass/);
    const script = readFileSync(join(notebookFolder, 'submission.py'), 'utf8');
    const code = notebook.cells
      .filter((cell) => cell.cell_type === 'code')
      .map(({ source }) => source.join(''));
    expect(code.length).toBeGreaterThan(1);
    for (const cell of code) expect(script).toContain(cell);
    const lines = script.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
    for (const line of lines) expect(code.join('\n')).toContain(line);
  });

  it('feeds the model what the model takes', () => {
    const facts = z
      .object({
        input: z.object({ name: z.string(), dtype: z.string() }),
        output: z.object({ name: z.string() }),
      })
      .parse(json('dataset', 'model.json'));
    const script = readFileSync(join(notebookFolder, 'submission.py'), 'utf8');
    expect(facts.input).toMatchObject({ name: 'photos', dtype: 'uint8' });
    expect(script).toContain(`session.run(["${facts.output.name}"], {"${facts.input.name}": pixels})`);
    // All preparation is the model's: the script must not resize or normalise.
    expect(script).not.toMatch(/resize|mean|std\b|\/ 255/);
  });

  it.skipIf(!hasPython)('has a script that Python compiles', () => {
    const script = join(notebookFolder, 'submission.py');
    const check = `compile(open(${JSON.stringify(script)}, encoding="utf-8").read(), "submission.py", "exec")`;
    expect(execFileSync('python3', ['-c', check], { encoding: 'utf8' })).toBe('');
  });

  it('refuses a model that takes views', async () => {
    const options = { run: join(root, 'run'), out: join(root, 'other'), kaggle: {}, input: 'views' } as const;
    await expect(exportRun(options)).rejects.toThrow(/notebook feeds photos/);
  });
});
