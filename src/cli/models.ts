import { caseWords } from '../pasture/covariates.ts';
import { listModels } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';
import { shown, textTable } from './tables.ts';

/** `sward models`: the runs that come with sward. */
export const registerModels: CommandRegistrar = (program) => {
  program
    .command('models')
    .description('list the runs that come with sward')
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const models = await listModels();
      printResult(
        json,
        () => models.map(({ about, ...model }) => ({ ...model, ...about })),
        () =>
          [
            textTable(
              ['model', 'recipe', 'photos', 'visits', 'weighted R²', 'licence'],
              models.map(({ name, recipe, photos, about }) => [
                name,
                recipe,
                String(photos),
                String(about.sessions),
                shown(about.weighted_r2, 3),
                about.licence,
              ]),
            ),
            ...models.flatMap(({ name, folder, about }) => [
              `${name}: ${about.what}`,
              ...(about.with ?? []).map(
                ({ covariates, weighted_r2 }) =>
                  `    ${caseWords(covariates)}: weighted R² ${shown(weighted_r2, 3)}`,
              ),
              '    Scores are of visits that had no part in training, parted in one way; other partings score otherwise, and ' +
                'card.md has each mass',
              `    ${about.attribution}`,
              `    ${folder}`,
            ]),
          ].join('\n'),
      );
    });
};
