import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { membersOf } from '../estimators/stack/stack-settings.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { type WrittenSetting, writtenBy } from '../ground/idle-settings.ts';
import {
  applyChange,
  changesFrom,
  type PartialSettings,
  type SettingChange,
} from '../ground/setting-change.ts';
import { nearestTo, type Setting } from '../ground/setting-list.ts';
import { settingProblems } from '../ground/setting-problems.ts';
import { readText, reasonOf } from '../ground/whole-file.ts';
import { trainsOnPhotos as networkTrainsOnPhotos } from '../networks/settings/network.ts';
import { featureLayout, featurePlan } from '../vision/features/index.ts';
import { requireRecipeEffect } from './idle-recipe.ts';
import { RECIPE_NAMES, RECIPES, type RecipeDraft } from './known-recipes.ts';
import { learnerDefaults } from './learners.ts';
import { type Recipe, recipeSchema } from './recipe-schema.ts';

/** Settings of a recipe that differ from its own. */
export interface RecipeSettings extends PartialSettings<Omit<z.input<typeof recipeSchema>, 'name'>> {
  /**
   * Makes the input features of this backbone (a catalogue name, a hub repository or a file), taken by the recipe's
   * plan; of several, side by side, `descriptors` may be one.
   */
  readonly backbone?: string | readonly string[];
  /** Puts the features of a further backbone beside them. */
  readonly extra?: string;
}

/**
 * A recipe by name or from a JSON file, with settings changed. Another kind of estimator, or of architecture, starts
 * from its own defaults.
 *
 * @throws UsageError for an unknown recipe, setting or value
 * @throws InputError when a recipe file cannot be read
 */
export async function makeRecipe(nameOrFile: string, settings: RecipeChanges = {}): Promise<Recipe> {
  const isKnown = Object.hasOwn(RECIPES, nameOrFile);
  const given: RecipeDraft = isKnown
    ? { name: nameOrFile, ...RECIPES[nameOrFile]?.draft }
    : await readRecipeFile(nameOrFile);
  const draft = structuredClone(given);
  // In an object a kind says what its neighbours are settings of; written alone it asks to begin anew.
  const isObject = !Array.isArray(settings);
  const ordered = [...changesFrom(settings)].sort((a, b) => rankOf(a) - rankOf(b));
  for (const change of ordered) {
    const { path, value } = change;
    if (isObject && path.at(-1) === 'kind' && valueAt(draft, path) === value) continue;
    changeDraft(draft, change);
  }
  const recipe = parseRecipe(nameOrFile, draft);
  requireRecipeEffect(recipe, [...(isKnown ? [] : writtenIn(nameOrFile, given)), ...writtenBy(ordered)]);
  return recipe;
}

/** What a person wrote into a recipe's file; nothing where it has a value for every setting, as `run.json` does. */
function writtenIn(file: string, draft: RecipeDraft): WrittenSetting[] {
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(parseRecipe(file, draft))), draft)) return [];
  return writtenBy(
    Object.entries(draft).map(([name, value]: [string, unknown]) => ({ path: [name], value })),
  );
}

/** Settings that differ, as an object or one by one. */
export type RecipeChanges = RecipeSettings | readonly SettingChange[];

const valueAt = (draft: object, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], draft);

/** A new kind of estimator or a backbone comes first, for settings belong to it; what is put beside it last. */
function rankOf({ path }: SettingChange): number {
  const name = path.join('.');
  if (name === 'estimator.kind' || name === 'backbone') return 0;
  if (name === 'estimator.architecture.kind') return 1;
  return name === 'extra' ? 3 : 2;
}

/** Checks a recipe read back from a run folder. @throws InputError naming `where` */
export function parseStoredRecipe(where: string, stored: unknown): Recipe {
  const parsed = recipeSchema.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new InputError(
    where,
    `its recipe is damaged (${issuesOf(parsed.error, stored)})`,
    'train the run again',
  );
}

function parseRecipe(nameOrFile: string, { plan: _, ...draft }: RecipeDraft): Recipe {
  const complete = {
    ...draft,
    estimator: withDefaults(draft.estimator),
    evaluation: { leaveOneStateOut: true, ...(draft.evaluation as object | undefined) },
  };
  const parsed = recipeSchema.safeParse(complete);
  if (!parsed.success) throw new UsageError(`recipe ${nameOrFile}: ${issuesOf(parsed.error, complete)}`);
  const { reduction, estimator } = parsed.data;
  if (reduction.kind !== 'none' && COLUMN_PICKERS.includes(estimator.kind)) {
    throw new UsageError(
      `recipe ${nameOrFile}: reduction: ${estimator.kind} picks columns of its own; ` +
        'reduce inside the members of a stack',
    );
  }
  return withLayout(withEvaluation(parsed.data, draft), draft);
}

/** Estimators whose members read columns of their own choice. */
const COLUMN_PICKERS: readonly string[] = ['stack', 'view-average', 'kernel-average'];

/** An estimator, and the members it may have, with their kind's defaults. */
function withDefaults(draft: unknown): unknown {
  if (typeof draft !== 'object' || draft === null) return draft;
  const estimator: { kind?: unknown; members?: unknown; withCovariates?: unknown } = draft;
  if (estimator.kind !== 'stack') return { ...learnerDefaults(estimator.kind), ...estimator };
  const { withCovariates } = estimator;
  return {
    ...withMembersDefaults(estimator),
    ...(typeof withCovariates === 'object' &&
      withCovariates !== null && { withCovariates: withMembersDefaults(withCovariates) }),
  };
}

function withMembersDefaults(draft: { readonly members?: unknown }): object {
  if (!Array.isArray(draft.members)) return draft;
  return {
    ...draft,
    members: draft.members.map((member: unknown) =>
      typeof member === 'object' && member !== null && 'estimator' in member
        ? { ...member, estimator: withDefaults(member.estimator) }
        : member,
    ),
  };
}

/** Training on photos takes hours, so that States are held out only when that is asked for. */
function withEvaluation(recipe: Recipe, draft: RecipeDraft): Recipe {
  const { leaveOneStateOut } = (draft.evaluation ?? {}) as Partial<Recipe['evaluation']>;
  if (leaveOneStateOut !== undefined || !trainsOnPhotos(recipe)) return recipe;
  return { ...recipe, evaluation: { leaveOneStateOut: false } };
}

/** A network reads features as the backbone's plan arranges them, unless the recipe says otherwise. */
function withLayout(recipe: Recipe, draft: RecipeDraft): Recipe {
  const { input, estimator } = recipe;
  const given = (draft.estimator as { layout?: object } | undefined)?.layout;
  const first = input.kind === 'several' ? input.sets[0] : input;
  if (estimator.kind !== 'network' || first?.kind !== 'backbone') return recipe;
  const { kind: _, backbone: __, ...plan } = first;
  if (plan.view === 'windows' && estimator.architecture.kind === 'density') {
    throw new UsageError(
      `recipe ${recipe.name}: density sums the masses of parts, but windows overlap; choose input.view whole or halves`,
    );
  }
  const layout = { ...estimator.layout, ...featureLayout(featurePlan(plan)), ...given };
  return { ...recipe, estimator: { ...estimator, layout } };
}

async function readRecipeFile(path: string): Promise<RecipeDraft> {
  if (!path.endsWith('.json')) {
    throw unknownRecipe(path);
  }
  try {
    const value: unknown = JSON.parse(await readText(path));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new InputError(path, `cannot be read as a recipe (${reasonOf(error)})`, 'give a JSON file');
  }
  throw new InputError(path, 'is not a JSON object', 'write a recipe such as {"name": …, "input": …}');
}

/** What is said of a name that no recipe has. */
export function unknownRecipe(name: string): UsageError {
  const near = nearestTo(name, RECIPE_NAMES);
  const meant = near === undefined ? '' : `did you mean ${near}? `;
  return new UsageError(
    `no recipe is called ${name}; ${meant}use ${RECIPE_NAMES.join(', ')} or a .json file`,
  );
}

function changeDraft(draft: RecipeDraft, change: SettingChange): void {
  const { path, value } = change;
  if (path.join('.') === 'estimator.kind') {
    draft.estimator = { kind: value };
    return;
  }
  if (path.join('.') === 'backbone') {
    draft.input = withBackbone(draft, value);
    return;
  }
  if (path.join('.') === 'extra') {
    draft.input = { kind: 'several', sets: [draft.input, { kind: 'backbone', backbone: value }] };
    return;
  }
  if (path.join('.') === 'estimator.architecture.kind') {
    draft.estimator = { ...(draft.estimator as object | undefined), architecture: { kind: value } };
    return;
  }
  applyChange(draft, change);
}

/** A recipe's input with another backbone, or several side by side; what is taken of photos stays. */
function withBackbone(draft: RecipeDraft, wanted: unknown): object {
  const input = (draft.input ?? {}) as DraftInput;
  const sets = input.kind === 'several' ? (input.sets ?? []) : [input];
  const { kind: _, ...known } = sets.find(({ kind }) => kind === 'backbone') ?? {};
  const plan = 'backbone' in known ? known : (draft.plan as object | undefined);
  const set = (backbone: unknown): object =>
    backbone === 'descriptors' ? { kind: 'descriptors' } : { ...plan, kind: 'backbone', backbone };
  if (Array.isArray(wanted)) return { kind: 'several', sets: wanted.map(set) };
  if (input.kind !== 'several') return set(wanted);
  return { ...input, sets: sets.map((one) => (one.kind === 'backbone' ? set(wanted) : one)) };
}

/** An input as written. */
interface DraftInput {
  readonly kind?: unknown;
  readonly sets?: readonly DraftInput[];
}

/** Settings that stand for several others. */
export const SHORTHANDS: readonly Setting[] = [
  {
    path: 'backbone',
    meaning: 'makes the input features of this backbone, or of several side by side',
    values: 'a catalogue name, hub repository or file; several with commas, descriptors among them',
    ofKinds: [],
  },
  {
    path: 'extra',
    meaning: 'puts the features of a further backbone beside them',
    values: 'a catalogue name, hub repository or file',
    ofKinds: [],
  },
];

function issuesOf(error: z.ZodError, draft: unknown): string {
  const advice = 'sward recipes NAME lists the settings of a recipe';
  return settingProblems(error, recipeSchema, draft, { further: SHORTHANDS, advice });
}

/**
 * Whether training has to see photos: the backbone is trained too, or photos are augmented. Otherwise features of
 * the frozen backbone, made once, are all it needs.
 */
export function trainsOnPhotos({ estimator }: Pick<Recipe, 'estimator'>): boolean {
  if (estimator.kind === 'stack') return membersOf(estimator).some(trainsOnPhotos);
  return estimator.kind === 'network' && networkTrainsOnPhotos(estimator);
}
