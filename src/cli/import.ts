import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import { parseChange } from '../ground/setting-change.ts';
import { isTargetName, TARGET_NAMES, type TargetName } from '../pasture/targets.ts';
import {
  GROUPINGS,
  type Grouping,
  importRun,
  importTrees,
  type RunResults,
  scoreToJson,
} from '../workflows/index.ts';
import { type CommandRegistrar, collected } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { trainingSummary } from './train.ts';
import { addSourceOptions, type SourceOptions, trainingSource } from './training-options.ts';

interface ImportCommandOptions extends SourceOptions {
  readonly recipe: string;
  readonly backbone?: string;
  readonly data?: string;
  readonly outputs?: readonly TargetName[];
  readonly folds: string;
  readonly group: Grouping;
  readonly out: string;
  readonly set?: readonly string[];
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward import`: makes a run of fold checkpoints that PyTorch trained, or of trees of LightGBM or CatBoost. */
export const registerImport: CommandRegistrar = (program) => {
  const command = program
    .command('import')
    .description(
      'make a run of networks that PyTorch trained (.pth, .safetensors), or of trees of LightGBM (.txt) or CatBoost (.json)',
    )
    .argument(
      '<FILE...>',
      'checkpoints, one a fold, that of fold 0 first; or trees by name, as fold0_Dry_Green_g.txt',
    )
    .requiredOption('--recipe <NAME|FILE>', 'recipe of what was trained, such as seed2 or feature-boost')
    .option('--backbone <NAME|FILE>', 'the backbone it was trained from, or whose features trees read')
    .option('--data <DATA>', 'data folder with train.csv, or a table of your own');
  addSourceOptions(command)
    .option(
      '--outputs <names>',
      'masses that a model of several outputs predicts, in its order: Dry_Green_g,Dry_Dead_g,Dry_Clover_g',
      targetList,
    )
    .requiredOption('--folds <folds.csv>', 'image_id,fold: which photos each model has not seen')
    .requiredOption('--out <RUN>', 'run folder to write')
    .addOption(
      new Option('--group <what>', 'photos that the folds keep together')
        .choices(GROUPINGS)
        .default('date-state'),
    )
    .option('--set <a.b=value>', 'change a setting of the recipe; may be repeated', collected)
    .option('--overwrite', 'replace the run that is in the folder')
    .option('--json', 'print the scores as JSON')
    .action(async (files: readonly string[], options: ImportCommandOptions) => {
      const areTrees = files.every((file) => /\.(txt|json)$/i.test(file));
      const { results, ownBackbones, lines } = await (areTrees ? treeRun : networkRun)(files, options);
      printResult(
        options.json,
        () => ({
          run: options.out,
          ...scoreToJson(results.outOfFold),
          per_fold: results.perFold.map(({ fold, score }) => ({ fold, weighted_r2: score.weightedR2 })),
          ...(ownBackbones !== undefined && { own_backbones: ownBackbones }),
        }),
        () =>
          [
            ...lines,
            trainingSummary(results),
            `The score is honest only if no model has seen the photos that ${options.folds} holds out for it.`,
            `report: ${join(options.out, 'report.html')}`,
          ].join('\n'),
      );
    });
};

/** A run that was imported, as the command tells of it. */
interface Outcome {
  readonly results: RunResults;
  readonly ownBackbones?: boolean;
  readonly lines: readonly string[];
}

async function networkRun(checkpoints: readonly string[], options: ImportCommandOptions): Promise<Outcome> {
  const { backbone, data, features, ids, labels, outputs } = options;
  if (backbone === undefined || data === undefined) {
    throw new UsageError(
      'networks need --backbone and --data; trees are LightGBM’s .txt or CatBoost’s .json',
    );
  }
  const ofTrees = Object.entries({ features, ids, labels, outputs }).find(([, value]) => value !== undefined);
  if (ofTrees) throw new UsageError(`--${ofTrees[0]} is for trees; networks read the photos of --data`);
  const { results, folds, ownBackbones } = await importRun({
    checkpoints,
    backbone,
    data,
    ...common(options),
  });
  return {
    results,
    ownBackbones,
    lines: [
      ...folds.map(
        ({ file, within }, fold) =>
          `fold ${fold}: ${file}${within.length > 0 ? ` (${within.join('.')})` : ''}`,
      ),
      `backbones: ${ownBackbones ? "the checkpoints' own" : 'frozen, the same for all'}`,
    ],
  };
}

async function treeRun(models: readonly string[], options: ImportCommandOptions): Promise<Outcome> {
  const { backbone, data, outputs } = options;
  const { results, folds } = await importTrees({
    models,
    source: await trainingSource(data, options),
    ...(backbone !== undefined && { backbone }),
    ...(outputs && { outputs }),
    ...common(options),
  });
  return { results, lines: folds.map(({ files }, fold) => `fold ${fold}: ${files.join(', ')}`) };
}

const common = ({ recipe, set, folds, group, out, overwrite = false }: ImportCommandOptions) => ({
  recipe,
  settings: (set ?? []).map(parseChange),
  plan: { folds, grouping: group },
  out,
  overwrite,
  progress: consoleProgress(),
});

function targetList(text: string): readonly TargetName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isTargetName(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`${unknown} is no mass; write them as in ${TARGET_NAMES.join(',')}`);
  }
  return names.filter(isTargetName);
}
