import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandRegistrar } from '../src/cli/command.ts';
import { RECIPE_NAMES } from '../src/recipes/known-recipes.ts';
import { DEFAULT_FOLD_PLAN } from '../src/runs/fold-plan.ts';
import { TEST_TIME_TURNS } from '../src/runs/run.ts';
import { augmentationPreset } from '../src/vision/augment/index.ts';
import { findBackbone } from '../src/vision/weights/index.ts';
import { PSEUDO_DEFAULTS } from '../src/workflows/pseudo/pseudo-defaults.ts';
import { resolveRecipe } from './support/written-settings.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'coverage.md'), 'utf8');
const seeds = resolve(root, process.env.SWARD_SHARED ?? '../shared', 'seeds');

const MARKS = ['**Differs.**', '**Not there.**', '*Claim.*', '*By hand.*'];
/** Marks that excuse a row from having a test. */
const UNTESTED = MARKS.slice(1);

interface Row {
  readonly name: string;
  readonly inSward: string;
  readonly tests: string;
}

/** Rows of all tables but the legend. */
const rows: Row[] = page.split('\n').flatMap((line) => {
  const cells = line.startsWith('|') ? line.slice(1, -1).split(' | ') : [];
  const [name = '', inSward = '', tests = ''] = cells.map((cell) => cell.trim());
  return cells.length === 3 && name !== 'row' && !/^[-|]+$/.test(name) ? [{ name, inSward, tests }] : [];
});

const codeSpans = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
const spans = [...new Set(codeSpans(page))];

/** What the page calls `file › title`. */
const references = [...new Set(rows.flatMap(({ tests }) => codeSpans(tests)))];

/** Settings of recipes, `path` or `path=value`. */
const settings = spans.filter((span) => /^(estimator|input|evaluation|reduction|transform)\.\w/.test(span));

/** The backbones and files of `backbone=…` and `extra=…`. */
const backbones = spans.flatMap((span) => /(?:^|\s)(?:backbone|extra)=(\S+)/.exec(span)?.[1] ?? []);

/** Words in capitals stand for what the reader has. */
const isPlaceholder = (word: string): boolean => /^[A-Z]+…?$/.test(word);

/** Whether a test file has a test or a group of that title, or one that begins so where `…` follows. */
function hasTest(file: string, title: string): boolean {
  const path = join(root, 'test', `${file}.test.ts`);
  if (!existsSync(path)) return false;
  const isBeginning = title.endsWith('…');
  const text = isBeginning ? title.slice(0, -1) : title;
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const end = isBeginning ? '' : '\\1\\s*,';
  return new RegExp(`\\(\\s*(['"\`])${escaped}${end}`).test(readFileSync(path, 'utf8'));
}

/** Whether a recipe takes the change. */
async function takes(recipe: string, change: string): Promise<boolean> {
  return resolveRecipe(recipe, ['backbone=net', change]).then(
    () => true,
    // A setting of something that is off is one too, with a value that fits.
    (error: Error) => error.message.includes('has no effect'),
  );
}

/** Whether a value, as resolved, has something at a dotted path. */
function hasPath(value: unknown, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return false;
  return hasPath(Object.entries(value).find(([key]) => key === first)?.[1], rest);
}

const program = new Command('sward').exitOverride();

beforeAll(async () => {
  for (const file of readdirSync(join(root, 'src', 'cli'))) {
    if (['main.ts', 'program.ts'].includes(file) || !file.endsWith('.ts')) continue;
    const exported: Record<string, unknown> = await import(join(root, 'src', 'cli', file));
    for (const [name, value] of Object.entries(exported)) {
      if (name.startsWith('register')) (value as CommandRegistrar)(program);
    }
  }
});

/** What is wrong with an option of a command, and with the value that follows it. */
function optionProblems(command: Command, option: string, value: string | undefined): string[] {
  const known = command.options.find(({ long }) => long === option);
  if (!known) return [`${command.name()} has no ${option}`];
  if (value === undefined || isPlaceholder(value)) return [];
  const isChoice = known.argChoices === undefined || known.argChoices.includes(value);
  return isChoice ? [] : [`${option} is one of ${known.argChoices?.join(', ')}`];
}

/** What is wrong with a command line of sward. */
async function problemsOf(line: string): Promise<string[]> {
  const [, name = '', ...words] = line.split(' ');
  const command = program.commands.find((known) => known.name() === name);
  if (!command) return [`no command ${name}`];
  const [inner = '', argument] = words;
  if (command.commands.length > 0) {
    if (!command.commands.some((known) => known.name() === inner)) return [`${name} has no ${inner}`];
    return argument === undefined || findBackbone(argument) ? [] : [`no backbone ${argument}`];
  }
  const problems = words.flatMap((word, at) =>
    word.startsWith('--') ? optionProblems(command, word, words[at + 1]) : [],
  );
  const after = (option: string): string[] =>
    words.flatMap((word, at) => (word === option ? (words[at + 1] ?? '') : []));
  const [recipe] = after('--recipe');
  if (recipe === undefined) return problems;
  return resolveRecipe(recipe, ['backbone=net', ...after('--set')]).then(
    () => problems,
    (error: Error) => [...problems, error.message],
  );
}

describe('the page on coverage', () => {
  it('has a test in every row, or says why there is none', () => {
    expect(rows.length).toBeGreaterThan(100);
    const bare = rows.filter(({ inSward, tests }) =>
      tests === '–'
        ? !UNTESTED.some((mark) => inSward.includes(mark)) && !/^as under/.test(inSward)
        : codeSpans(tests).length === 0,
    );
    expect(bare).toEqual([]);
  });

  it('names tests that are there', () => {
    expect(references.length).toBeGreaterThan(50);
    const missing = references.filter((reference) => {
      const [file = '', title = '', ...more] = reference.split(' › ');
      return more.length > 0 || title === '' || !hasTest(file, title);
    });
    expect(missing).toEqual([]);
  });

  it('names settings, and values of them, that a recipe takes', async () => {
    expect(settings.length).toBeGreaterThan(40);
    const recipes = await Promise.all(RECIPE_NAMES.map((name) => resolveRecipe(name, ['backbone=net'])));
    const wrong: string[] = [];
    for (const setting of settings) {
      const known = setting.includes('=')
        ? (await Promise.all(RECIPE_NAMES.map((name) => takes(name, setting)))).includes(true)
        : recipes.some((recipe) => hasPath(recipe, setting.split('.')));
      if (!known) wrong.push(setting);
    }
    expect(wrong).toEqual([]);
  });

  it('names backbones of the catalogue', () => {
    expect(backbones.length).toBeGreaterThan(5);
    expect(backbones.filter((name) => !isPlaceholder(name) && !findBackbone(name))).toEqual([]);
  });

  it('names recipes that are there', () => {
    const named = [...page.matchAll(/[Rr]ecipes? ((?:`[\w-]+`(?:, | and )?)+)/g)].flatMap(([, list = '']) =>
      codeSpans(list),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !RECIPE_NAMES.includes(name))).toEqual([]);
  });

  it('shows commands as they are', async () => {
    const lines = spans.filter((span) => span.startsWith('sward '));
    expect(lines.length).toBeGreaterThan(15);
    const wrong = await Promise.all(lines.map(async (line) => ({ line, problems: await problemsOf(line) })));
    expect(wrong.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });

  it('names options that a command has', () => {
    const options = spans.filter((span) => span.startsWith('--'));
    expect(options.length).toBeGreaterThan(3);
    const wrong = options.filter((span) => {
      const [option = '', value] = span.split(' ');
      const owners = program.commands.filter((command) =>
        command.options.some(({ long }) => long === option),
      );
      return owners.every((command) => optionProblems(command, option, value).length > 0);
    });
    expect(wrong).toEqual([]);
  });

  it('points to pages that are there', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !existsSync(join(root, 'docs', link)))).toEqual([]);
  });

  it.skipIf(!existsSync(seeds))('has a part for every heading of the documents', () => {
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
    for (const file of readdirSync(seeds)) {
      // Code has comments that look like headings.
      const text = readFileSync(join(seeds, file), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
      const own = [...text.matchAll(/^##+ (.+)$/gm)].map((match) => match[1] ?? '');
      const isNumbered = own.some((heading) => /^\d/.test(heading));
      const missing = own
        .map((heading) => (isNumbered ? (/^[\d.]+/.exec(heading)?.[0] ?? '') : heading))
        .filter((heading) =>
          isNumbered
            ? heading !== '' && !headings.some((known) => known.startsWith(`${heading} `))
            : !headings.some((known) => heading.startsWith(known)),
        );
      expect(missing, file).toEqual([]);
    }
  });
});

describe('numbers of the documents', () => {
  const recipe = (name: string): ReturnType<typeof resolveRecipe> => resolveRecipe(name, ['backbone=net']);

  it('are those of recipe seed1', async () => {
    const { input, estimator } = await recipe('seed1');
    expect(input).toMatchObject({ view: 'tiles', blocks: ['17/23', '23/23'], pooling: 'cls-mean' });
    expect(estimator).toMatchObject({
      architecture: { kind: 'tiled-dual', tiles: 'mean', fusion: 'concat', hiddenRatio: 0.25, dropout: 0.3 },
      loss: { smoothL1: 1, mse: 0, huber: 0, r2: 0 },
      mixup: { probability: 0.5, alpha: 0.4 },
      schedule: { kind: 'cosine' },
      checkpoint: { choice: 'best-fold', patience: 8 },
      fineTune: { mode: 'none' },
    });
    const { input: same, estimator: staged } = await recipe('seed1-two-stage');
    expect(same).toEqual(input);
    expect(staged).toMatchObject({
      augmentation: { preset: 'seed1' },
      fineTune: { mode: 'full', headEpochs: 5 },
    });
  });

  it('are those of recipe seed2', async () => {
    const { input, estimator } = await recipe('seed2');
    expect(input).toMatchObject({ view: 'halves', size: '~512', blocks: [], pooling: 'pooled' });
    expect(estimator).toMatchObject({
      architecture: { kind: 'film-dual', hidden: 256, dropout: 0.1 },
      unit: 'gram',
      epochs: 15,
      batch: 8,
      optimizer: { kind: 'adamw', rate: 1e-4, weightDecay: 1e-4, decayBiases: true },
      schedule: { kind: 'cosine', warmUp: 1, floor: 0 },
      loss: { mse: 1, smoothL1: 0, huber: 0, r2: 0, weights: 'components' },
      checkpoint: { choice: 'best-fold', by: 'score', patience: null },
      fineTune: { mode: 'full', backboneRate: 0.1, layerDecay: 1, headEpochs: 0 },
      augmentation: {
        horizontalFlip: { probability: 0.5 },
        verticalFlip: { probability: 0.5 },
        colourJitter: { probability: 1, brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0 },
        shiftScaleRotate: { probability: 0 },
        batch: { probability: 0 },
      },
    });
  });

  it('are those of heavy augmentation', () => {
    const heavy = augmentationPreset('heavy');
    expect(heavy).toMatchObject({
      horizontalFlip: { probability: 0.5 },
      verticalFlip: { probability: 0.5 },
      quarterTurns: { probability: 0.5 },
      shiftScaleRotate: { probability: 0.5, shift: 0.1, scale: 0.15, rotate: 15 },
      colourJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.3, hue: 0.05 },
      brightnessContrast: { brightness: 0.2, contrast: 0.2 },
      hueSaturationValue: { hue: 20, saturation: 20, value: 20 },
      gaussianNoise: { variance: [10, 50] },
      gaussianBlur: { deviation: [0.8, 1.1] },
      motionBlur: { length: [3, 5] },
      coarseDropout: { probability: 0.3, holes: [1, 8], fill: 'black' },
      batch: { probability: 0.5, mixupAlpha: 0.4, cutmixAlpha: 1 },
    });
    expect(heavy.oneOf).toEqual([
      { probability: 0.7, among: ['colourJitter', 'brightnessContrast', 'hueSaturationValue'] },
      { probability: 0.3, among: ['gaussianNoise', 'gaussianBlur', 'motionBlur'] },
    ]);
  });

  it('are those of TTA, folds and pseudo-labels', () => {
    expect(TEST_TIME_TURNS.flips).toHaveLength(3);
    expect(new Set(TEST_TIME_TURNS.d4).size).toBe(8);
    expect(PSEUDO_DEFAULTS).toMatchObject({ rounds: 3, keep: 0.3, certainty: 'absolute' });
    expect(DEFAULT_FOLD_PLAN).toMatchObject({ folds: 5, seed: 42 });
  });
});
