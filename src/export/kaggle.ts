import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { packageFile } from '../ground/package-file.ts';
import { colourProfile } from '../vision/photos/index.ts';

/** The script that becomes the notebook; ships with sward's documentation. */
const SCRIPT = packageFile('docs/export/submission.py');

/** What the kaggle command asks to be put in for an account's name. */
const NO_USER = 'INSERT_USERNAME_HERE';

const COMPETITION = 'csiro-biomass';

/** What is written for Kaggle. */
export interface KaggleChoice {
  /** Name of the account; default one to be put in. */
  readonly user?: string;
  /** Python wheels that the dataset carries: `onnxruntime`, where Kaggle's image has none, and what it needs. */
  readonly wheels?: readonly string[];
}

/** Kaggle's titles have at least 6 and at most 50 characters, and the address follows from the title. */
const LONGEST_TITLE = 50;
const NOTEBOOK_SUFFIX = ' submission';

/** @throws UsageError for a wheel that is none, or not there */
export async function requireWheels(wheels: readonly string[]): Promise<void> {
  for (const wheel of wheels) {
    const found = wheel.endsWith('.whl') && (await stat(wheel).catch(() => null))?.isFile();
    if (!found) {
      throw new UsageError(`--wheel ${wheel} is no wheel; fetch one with \`pip download onnxruntime\``);
    }
  }
}

/**
 * Writes what Kaggle's command line uploads besides the models: into the folder of the models `dataset-metadata.json`, the
 * wheels, and the colour profiles that photos are converted by; and a folder with the notebook, as `.ipynb` and as the same
 * `.py`, and its `kernel-metadata.json`.
 */
export async function writeKaggleFiles(
  folders: { readonly dataset: string; readonly notebook: string },
  recipe: string,
  { user = NO_USER, wheels = [] }: KaggleChoice,
): Promise<void> {
  for (const wheel of wheels) await copyFile(wheel, join(folders.dataset, basename(wheel)));
  for (const colours of ['srgb', 'cmyk'] as const) {
    await writeFile(join(folders.dataset, `${colours}.icc`), await colourProfile(colours));
  }
  const title = titleOf(recipe);
  const dataset = `${user}/${slugOf(title)}`;
  await writeJson(join(folders.dataset, 'dataset-metadata.json'), {
    title,
    id: dataset,
    licenses: [{ name: 'other' }],
  });
  await mkdir(folders.notebook, { recursive: true });
  await copyFile(SCRIPT, join(folders.notebook, 'submission.py'));
  const script = await readFile(SCRIPT, 'utf8');
  await writeJson(join(folders.notebook, 'submission.ipynb'), notebookOf(script));
  await writeJson(join(folders.notebook, 'kernel-metadata.json'), {
    id: `${user}/${slugOf(title + NOTEBOOK_SUFFIX)}`,
    title: title + NOTEBOOK_SUFFIX,
    code_file: 'submission.ipynb',
    language: 'python',
    kernel_type: 'notebook',
    is_private: true,
    enable_gpu: true,
    enable_internet: false,
    dataset_sources: [dataset],
    competition_sources: [COMPETITION],
    kernel_sources: [],
  });
}

function titleOf(recipe: string): string {
  const words = recipe.replaceAll(/[^A-Za-z0-9]+/g, ' ').trim();
  return `sward ${words}`.slice(0, LONGEST_TITLE - NOTEBOOK_SUFFIX.length).trim();
}

const slugOf = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

/** A cell of nbformat 4. */
interface Cell {
  readonly cell_type: 'markdown' | 'code';
  readonly id: string;
  readonly metadata: object;
  readonly source: readonly string[];
  readonly execution_count?: null;
  readonly outputs?: readonly never[];
}

/** A script whose cells start with `# %%` (`# %% [markdown]` for text) as a notebook of nbformat 4.5. */
function notebookOf(script: string): object {
  const cells = script
    .split(/^# %%/m)
    .slice(1)
    .map((text, index) => cellOf(text, index));
  return {
    cells,
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
      language_info: { name: 'python' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

function cellOf(text: string, index: number): Cell {
  const [head = '', ...rest] = text.split('\n');
  const id = `cell-${index}`;
  const body = rest.join('\n').trim();
  if (head.includes('[markdown]')) {
    const prose = body.replaceAll(/^# ?/gm, '');
    return { cell_type: 'markdown', id, metadata: {}, source: lines(prose) };
  }
  return { cell_type: 'code', id, metadata: {}, execution_count: null, outputs: [], source: lines(body) };
}

/** nbformat keeps lines with their ends. */
const lines = (text: string): string[] => text.split(/(?<=\n)/);

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}
