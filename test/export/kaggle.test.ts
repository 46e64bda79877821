import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
  const wheel = join(root, 'onnxruntime-1.0-cp311-cp311-linux_x86_64.whl');
  writeFileSync(wheel, 'a wheel');
  await exportRun({ run, out, kaggle: { user: 'somebody', wheels: [wheel] } });
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
    expect(readdirSync(join(out, 'dataset')).sort()).toEqual([
      'README.md',
      'cmyk.icc',
      'dataset-metadata.json',
      'model.json',
      'model.onnx',
      'onnxruntime-1.0-cp311-cp311-linux_x86_64.whl',
      'run-model.mjs',
      'srgb.icc',
    ]);
    // Signature of an ICC profile, and its colours.
    const profiles = ['srgb.icc', 'cmyk.icc'].map((name) =>
      readFileSync(join(out, 'dataset', name), 'latin1'),
    );
    expect(profiles.map((text) => text.slice(36, 40) + text.slice(16, 20))).toEqual(['acspRGB ', 'acspCMYK']);
  });

  it('refuses a wheel that is none before anything is written', async () => {
    for (const wheel of [join(root, 'gone.whl'), join(out, 'dataset', 'model.json')]) {
      const options = { run: join(root, 'run'), out: join(root, 'other'), kaggle: { wheels: [wheel] } };
      await expect(exportRun(options)).rejects.toThrow(/is no wheel; fetch one/);
    }
    expect(readdirSync(root)).not.toContain('other');
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

  it('refuses a model that takes views', async () => {
    const options = { run: join(root, 'run'), out: join(root, 'other'), kaggle: {}, input: 'views' } as const;
    await expect(exportRun(options)).rejects.toThrow(/notebook feeds photos/);
  });
});

/** What the notebook imports, as far as it uses it to find and answer: photos of no pixels, of which all masses are 2. */
const STAND_INS: Readonly<Record<string, string>> = {
  'numpy.py':
    'class Pixels(list):\n  __getitem__ = lambda self, key: self\nasarray = lambda image: Pixels()\n',
  'PIL/__init__.py': '',
  'PIL/Image.py': `class DecompressionBombWarning(Warning): pass
class open:
  mode, info, has_transparency_data = "RGB", {}, False
  def __init__(self, path): read(path)
  def __enter__(self): return self
  def __exit__(self, *error): pass
  def convert(self, mode): return self
def read(path):
  with __builtins__["open"](path, "rb"): pass
`,
  'PIL/ImageCms.py': 'ImageCmsProfile = str\n',
  'PIL/ImageOps.py': 'exif_transpose = lambda image: image\n',
  'onnxruntime.py': `class SessionOptions: pass
get_available_providers = lambda: ["CPUExecutionProvider"]
class Row(list):
  tolist = lambda self: self
class InferenceSession:
  def __init__(self, path, options, providers): open(path, "rb").close()
  def run(self, outputs, inputs): return [[Row([2.0] * 5)]]
`,
};

const TEST_ROWS = [
  'ID__1__Dry_Green_g,test/ID__1.jpg,Dry_Green_g',
  'ID__1__GDM_g,test/ID__1.jpg,GDM_g',
  'ID2__Dry_Green_g,test/ID2.jpg,Dry_Green_g',
];

describe.skipIf(!hasPython)('the notebook’s script, run by Python with stand-ins for its packages', () => {
  const packages = join(root, 'packages');
  const put = (content: string, ...path: string[]): void => {
    mkdirSync(dirname(join(...path)), { recursive: true });
    writeFileSync(join(...path), content);
  };
  const competition = (...path: string[]): void => {
    put(`sample_id,image_path,target_name\n${TEST_ROWS.join('\n')}\n`, ...path, 'test.csv');
    for (const photo of ['ID__1.jpg', 'ID2.jpg']) put('', ...path, 'test', photo);
  };
  let count = 0;
  /** An input folder with what others have in theirs. */
  const withForeign = (): string => {
    const input = join(root, `input-${count++}`);
    put('{"sward": "a word"}', input, 'datasets', 'other', 'models', 'model.json');
    put('\u0000 no JSON', input, 'datasets', 'other', 'models', 'deep', 'model.json');
    put('id,label\n1,2\n', input, 'datasets', 'other', 'table', 'test.csv');
    return input;
  };
  const attach = (...path: string[]): void =>
    cpSync(join(out, 'dataset'), join(...path), { recursive: true });
  const run = (input: string): { message: string; submission: string | null } => {
    const work = join(input, '..', `work-${count++}`);
    mkdirSync(work);
    const script = resolve(notebookFolder, 'submission.py');
    const env = { ...process.env, SWARD_INPUT: input, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
    const { stderr, status } = spawnSync('python3', [script], { cwd: work, env, encoding: 'utf8' });
    const message = stderr.trim().split('\n').at(-1) ?? '';
    return { message, submission: status === 0 ? readFileSync(join(work, 'submission.csv'), 'utf8') : null };
  };
  const ANSWER = `sample_id,target\n${TEST_ROWS.map((row) => `${row.split(',')[0]},2.0\n`).join('')}`;

  beforeAll(() => {
    for (const [name, text] of Object.entries(STAND_INS)) put(text, packages, name);
  });

  it('finds export and competition in Kaggle’s newer folders among foreign ones, also a copy of its table', () => {
    const input = withForeign();
    attach(input, 'datasets', 'me', 'sward-feature-ridge');
    competition(input, 'competitions', 'csiro-biomass');
    put('sample_id,image_path\nOLD__GDM_g,test/OLD.jpg\n', input, 'datasets', 'other', 'copy', 'test.csv');
    expect(run(input)).toEqual({ message: '', submission: ANSWER });
  });

  it('finds them in its older folders, and an export that is attached in both', () => {
    const input = withForeign();
    attach(input, 'sward-feature-ridge');
    attach(input, 'datasets', 'me', 'sward-feature-ridge');
    competition(input, 'csiro-biomass');
    expect(run(input)).toEqual({ message: '', submission: ANSWER });
  });

  it('takes the only table of such rows where the competition is called otherwise', () => {
    const input = withForeign();
    attach(input, 'sward-feature-ridge');
    competition(input, 'datasets', 'me', 'photos');
    expect(run(input)).toEqual({ message: '', submission: ANSWER });
  });

  it('names both of two exports, and says what is missing', () => {
    const input = withForeign();
    competition(input, 'csiro-biomass');
    expect(run(input).message).toMatch(/holds no export of sward: attach one dataset/);
    attach(input, 'one');
    attach(input, 'datasets', 'me', 'two');
    const file = join(input, 'datasets', 'me', 'two', 'model.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"run_fingerprint": "', '"run_fingerprint": "0'));
    const { message, submission } = run(input);
    expect(message).toContain(
      `${join(input, 'datasets', 'me', 'two')} and ${join(input, 'one')}: attach one`,
    );
    expect(submission).toBeNull();
    const without = withForeign();
    attach(without, 'sward-feature-ridge');
    expect(run(without).message).toMatch(/holds no test.csv of the competition/);
  });
});
