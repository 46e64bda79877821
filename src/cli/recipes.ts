import { type DescribedRecipe, describeRecipe, listRecipes } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';
import { wordTable } from './tables.ts';

/** `sward recipes`: what can be trained, and what can be set of it. */
export const registerRecipes: CommandRegistrar = (program) => {
  program
    .command('recipes')
    .description('list the recipes, or every setting of one')
    .argument('[NAME]', 'recipe whose settings are wanted')
    .option('--json', 'print the result as JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      if (name === undefined) {
        const recipes = listRecipes();
        printResult(
          json,
          () => recipes,
          () =>
            [
              wordTable(
                ['recipe', 'reads', 'learns with', 'takes'],
                recipes.map((recipe) => [recipe.name, recipe.reads, recipe.learns, recipe.cost]),
              ),
              'sward recipes NAME lists the settings of one',
            ].join('\n'),
        );
        return;
      }
      const recipe = await describeRecipe(name);
      printResult(
        json,
        () => recipe,
        () => settingsText(recipe),
      );
    });
};

function settingsText({ name, reads, learns, cost, settings }: DescribedRecipe): string {
  return [
    `${name} reads ${reads}; ${learns}; ${cost}`,
    '--set takes:',
    ...settings.map(({ setting, default: standard, values, meaning, needs }) => {
      const condition = needs === null ? '' : `  (with ${needs})`;
      return `${setting} = ${valueText(standard)}${condition}\n    ${meaning}; ${values}`;
    }),
  ].join('\n');
}

/** Longer values are cut on the screen; `--json` has all. */
const LONGEST_VALUE = 70;

function valueText(value: unknown): string {
  if (value === null) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
