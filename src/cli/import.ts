import { join } from 'node:path';
import { Option } from 'commander';
import { parseChange } from '../ground/setting-change.ts';
import { GROUPINGS, type Grouping, type ImportedRun, importRun, scoreToJson } from '../workflows/index.ts';
import { type CommandRegistrar, collected, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';
import { trainingSummary } from './train.ts';

interface ImportCommandOptions {
  readonly recipe: string;
  readonly backbone: string;
  readonly data: string;
  readonly folds: string;
  readonly group: Grouping;
  readonly out: string;
  readonly set: readonly string[];
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward import`: makes a run of fold checkpoints that PyTorch trained. */
export const registerImport: CommandRegistrar = (program) => {
  program
    .command('import')
    .description('make a run of fold checkpoints that PyTorch trained (.pth or .safetensors)')
    .argument('<CHECKPOINT...>', 'files of torch.save or safetensors, one a fold, that of fold 0 first')
    .requiredOption('--recipe <NAME|FILE>', 'recipe of the network that was trained, such as seed2')
    .requiredOption('--backbone <NAME|FILE>', 'the backbone it was trained from')
    .requiredOption('--data <DATA>', 'data folder with train.csv')
    .requiredOption('--folds <folds.csv>', 'image_id,fold: which photos each checkpoint has not seen')
    .requiredOption('--out <RUN>', 'run folder to write')
    .addOption(
      new Option('--group <what>', 'photos that the folds keep together')
        .choices(GROUPINGS)
        .default('date-state'),
    )
    .option('--set <a.b=value>', 'change a setting of the recipe; may be repeated', collected, [])
    .option('--overwrite', 'replace the run that is in the folder')
    .option('--json', 'print the scores as JSON')
    .action(async (checkpoints: readonly string[], options: ImportCommandOptions) => {
      const run = await importRun({
        checkpoints,
        recipe: options.recipe,
        settings: options.set.map(parseChange),
        backbone: options.backbone,
        data: options.data,
        plan: { folds: options.folds, grouping: options.group },
        out: options.out,
        overwrite: options.overwrite ?? false,
        progress: consoleProgress(),
      });
      printResult(
        options.json,
        () => ({
          run: options.out,
          ...scoreToJson(run.results.outOfFold),
          per_fold: run.results.perFold.map(({ fold, score }) => ({ fold, weighted_r2: score.weightedR2 })),
          own_backbones: run.ownBackbones,
        }),
        () => importSummary(run, options),
      );
    });
};

function importSummary(
  { results, folds, ownBackbones }: ImportedRun,
  { out, folds: file }: ImportCommandOptions,
): string {
  return [
    ...folds.map(
      ({ file: checkpoint, within }, fold) =>
        `fold ${fold}: ${checkpoint}${within.length > 0 ? ` (${within.join('.')})` : ''}`,
    ),
    `backbones: ${ownBackbones ? "the checkpoints' own" : 'frozen, the same for all'}`,
    trainingSummary(results),
    `The score is honest only if no checkpoint has seen the photos that ${file} holds out for it.`,
    `report: ${join(out, 'report.html')}`,
  ].join('\n');
}
