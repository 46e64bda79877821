import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError, messageOf, UsageError } from '../ground/errors.ts';
import { featurePlanSchema } from '../vision/features/index.ts';
import {
  LEAFWISE_BOOST_DEFAULTS,
  leafwiseBoostSettings,
  OBLIVIOUS_BOOST_DEFAULTS,
  obliviousBoostSettings,
} from './boost/boost-settings.ts';
import { kernelRidgeSettings, ridgeSettings, viewAverageSettings } from './ridge-settings.ts';

/** What photos are turned into before the estimator sees them. */
const inputSettings = z.discriminatedUnion('kind', [
  /** Colour and texture descriptors of the photos. */
  z.strictObject({ kind: z.literal('descriptors') }),
  /** Rows of a feature file. */
  z.strictObject({ kind: z.literal('features') }),
  /** Features of the photos from a frozen backbone: a catalogue name, a hub repository or a file. */
  featurePlanSchema.extend({ kind: z.literal('backbone'), backbone: z.string().min(1) }),
]);

const recipeSchema = z.strictObject({
  name: z.string().min(1),
  input: inputSettings,
  estimator: z.discriminatedUnion('kind', [
    ridgeSettings,
    kernelRidgeSettings,
    viewAverageSettings,
    leafwiseBoostSettings,
    obliviousBoostSettings,
  ]),
  evaluation: z.strictObject({
    /** Whether a second evaluation holds out one State at a time. */
    leaveOneStateOut: z.boolean(),
  }),
});

/** A recipe as resolved: every setting has its value. */
export type Recipe = z.output<typeof recipeSchema>;
export type EstimatorSettings = Recipe['estimator'];

/** A recipe as written, before defaults and checks. */
interface RecipeDraft {
  name?: unknown;
  input?: unknown;
  estimator?: unknown;
  evaluation?: unknown;
}

const RIDGE_DEFAULTS = { sessionWeight: 0.5, clip: 4 };
const PENALTIES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const SOFT_KERNEL = { weight: 1, kernels: ['laplacian'], gammas: [0.3], penalties: PENALTIES };

/** Values an estimator's settings have where a recipe does not give them. */
const ESTIMATOR_DEFAULTS: Readonly<Record<EstimatorSettings['kind'], object>> = {
  ridge: { ...RIDGE_DEFAULTS, penalties: PENALTIES },
  'kernel-ridge': { ...RIDGE_DEFAULTS, kernels: ['rbf'], gammas: [0.2, 0.4], penalties: PENALTIES },
  'view-average': {
    ...RIDGE_DEFAULTS,
    sessionWeight: 0,
    members: [
      { view: 'contrast', weight: 2, kernels: ['linear'], gammas: [1], penalties: PENALTIES },
      { view: 'form', ...SOFT_KERNEL },
      { view: 'scatter', ...SOFT_KERNEL },
    ],
  },
  'leafwise-boost': LEAFWISE_BOOST_DEFAULTS,
  'oblivious-boost': OBLIVIOUS_BOOST_DEFAULTS,
};

const RECIPES: Readonly<Record<string, RecipeDraft>> = {
  'descriptor-ridge': { input: { kind: 'descriptors' }, estimator: { kind: 'view-average' } },
  'feature-ridge': { input: { kind: 'features' }, estimator: { kind: 'kernel-ridge' } },
  'descriptor-boost': { input: { kind: 'descriptors' }, estimator: { kind: 'leafwise-boost' } },
  'feature-boost': { input: { kind: 'features' }, estimator: { kind: 'leafwise-boost' } },
};

/** Names of the recipes that come with sward. */
export const RECIPE_NAMES: readonly string[] = Object.keys(RECIPES);

/**
 * A recipe by name or from a JSON file, with settings changed by `path=value` texts (`estimator.clip=3`,
 * `estimator.penalties=0.1,1`). Values are JSON where they parse as such, lists where they hold commas, else
 * text. Setting `estimator.kind` starts from that estimator's defaults; `backbone=NAME` makes the input features
 * of that backbone (`input.view`, `input.blocks` … say which).
 *
 * @throws UsageError for an unknown recipe, path or value
 * @throws InputError when a recipe file cannot be read
 */
export async function resolveRecipe(nameOrFile: string, changes: readonly string[]): Promise<Recipe> {
  const draft = structuredClone(
    Object.hasOwn(RECIPES, nameOrFile)
      ? { name: nameOrFile, ...RECIPES[nameOrFile] }
      : await readRecipeFile(nameOrFile),
  );
  // A new kind of estimator or a backbone must come first: settings belong to it.
  const rank = (change: string): number => Number(!/^(estimator\.kind|backbone)=/.test(change));
  const ordered = [...changes].sort((a, b) => rank(a) - rank(b));
  for (const change of ordered) applyChange(draft, change);
  return parseRecipe(nameOrFile, draft);
}

/** Checks a recipe read back from a run folder. @throws InputError naming `where` */
export function parseStoredRecipe(where: string, stored: unknown): Recipe {
  const parsed = recipeSchema.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new InputError(where, `its recipe is damaged (${issuesOf(parsed.error)})`, 'train the run again');
}

function parseRecipe(nameOrFile: string, draft: RecipeDraft): Recipe {
  const estimator = draft.estimator as { kind?: EstimatorSettings['kind'] } | undefined;
  const defaults = estimator?.kind ? ESTIMATOR_DEFAULTS[estimator.kind] : undefined;
  const parsed = recipeSchema.safeParse({
    ...draft,
    estimator: { ...defaults, ...estimator },
    evaluation: { leaveOneStateOut: true, ...(draft.evaluation as object | undefined) },
  });
  if (parsed.success) return parsed.data;
  throw new UsageError(`recipe ${nameOrFile}: ${issuesOf(parsed.error)}`);
}

async function readRecipeFile(path: string): Promise<RecipeDraft> {
  if (!path.endsWith('.json')) {
    throw new UsageError(`no recipe is called ${path}; use ${RECIPE_NAMES.join(', ')} or a .json file`);
  }
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new InputError(path, `cannot be read as a recipe (${messageOf(error)})`, 'give a JSON file');
  }
  throw new InputError(path, 'is not a JSON object', 'write a recipe such as {"name": …, "input": …}');
}

function applyChange(draft: RecipeDraft, change: string): void {
  const at = change.indexOf('=');
  const path = change.slice(0, at).split('.');
  if (at < 1 || path.some((part) => !/^[A-Za-z][A-Za-z0-9]*$/.test(part) || part in Object.prototype)) {
    throw new UsageError(`--set ${change}: write it as a.b=value`);
  }
  const value = settingValue(change.slice(at + 1));
  if (path.join('.') === 'estimator.kind') {
    draft.estimator = { kind: value };
    return;
  }
  if (path.join('.') === 'backbone') {
    draft.input = { kind: 'backbone', backbone: value };
    return;
  }
  let target = draft as Record<string, unknown>;
  for (const part of path.slice(0, -1)) {
    const inner = target[part] ?? {};
    if (typeof inner !== 'object')
      throw new UsageError(`--set ${change}: ${part} has no settings of its own`);
    target[part] = inner;
    target = inner as Record<string, unknown>;
  }
  target[path.at(-1) ?? ''] = value;
}

function settingValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.includes(',') ? text.split(',').map((part) => settingValue(part.trim())) : text;
  }
}

function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'recipe'}: ${issue.message}`).join('; ');
}
