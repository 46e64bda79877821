import { drawFolds } from '../workflows/index.ts';
import { addOverwriteOption, type CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';
import { textTable } from './tables.ts';
import {
  addFoldOptions,
  addSourceOptions,
  type FoldOptions,
  foldPlan,
  type SourceOptions,
  trainingSource,
} from './training-options.ts';

interface FoldsCommandOptions extends SourceOptions, FoldOptions {
  readonly out: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward folds`: draws folds and writes them as a CSV that `train --folds` takes. */
export const registerFolds: CommandRegistrar = (program) => {
  const command = program
    .command('folds')
    .description('draw folds that keep sessions whole, and write them')
    .argument('[DATA]', 'data folder with train.csv, or a table of your own (.csv, .xlsx)')
    .requiredOption('--out <folds.csv>', 'file to write')
    .option('--json', 'print the result as JSON');
  addFoldOptions(addSourceOptions(addOverwriteOption(command))).action(
    async (folder: string | undefined, options: FoldsCommandOptions) => {
      const rows = await drawFolds(await trainingSource(folder, options), options.out, foldPlan(options), {
        overwrite: options.overwrite ?? false,
      });
      const folds = [...new Set(rows.map((row) => row.fold))].sort((a, b) => a - b);
      const summary = folds.map((fold) => {
        const inside = rows.filter((row) => row.fold === fold);
        return { fold, photos: inside.length, groups: new Set(inside.map((row) => row.group)).size };
      });
      printResult(
        options.json,
        () => ({ out: options.out, folds: summary }),
        () =>
          textTable(
            ['fold', 'photos', 'groups'],
            summary.map(({ fold, photos, groups }) => [String(fold), String(photos), String(groups)]),
          ),
      );
    },
  );
};
