import { type Command, Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import {
  DEFAULT_FOLD_PLAN,
  type FoldPlan,
  GROUPINGS,
  type Grouping,
  STRATIFICATIONS,
  type Stratification,
  type TrainingSource,
} from '../workflows/index.ts';
import { wholeNumber } from './command.ts';

/** Options by which training data are named, beside the data folder itself. */
export interface SourceOptions {
  readonly features?: string;
  readonly ids?: string;
  readonly labels?: string;
}

/** Options by which folds are made. */
export interface FoldOptions {
  readonly folds: number | string;
  readonly seed: number;
  readonly group: Grouping;
  readonly stratify: Stratification;
}

/** Adds `--features`, `--ids`, `--labels`. */
export function addSourceOptions(command: Command): Command {
  return command
    .option('--features <F.npy>', 'train on the rows of feature files (F.npy,G.npy) instead of photos')
    .option('--ids <ids.txt>', 'photo id of each row of the feature file, one a line')
    .option('--labels <train.csv>', 'measured masses of those photos');
}

/** Adds `--folds`, `--seed`, `--group`, `--stratify`. */
export function addFoldOptions(command: Command): Command {
  return command
    .option(
      '--folds <K|folds.csv>',
      'number of folds, or a file of folds',
      foldCount,
      DEFAULT_FOLD_PLAN.folds,
    )
    .option('--seed <n>', 'seed of folds and training', wholeNumber('--seed'), DEFAULT_FOLD_PLAN.seed)
    .addOption(
      new Option('--group <what>', 'photos that must stay in one fold')
        .choices(GROUPINGS)
        .default(DEFAULT_FOLD_PLAN.grouping),
    )
    .addOption(
      new Option('--stratify <by>', 'what every fold gets its share of')
        .choices(STRATIFICATIONS)
        .default(DEFAULT_FOLD_PLAN.stratification),
    );
}

/** @throws UsageError unless exactly a data folder or the three feature options are given */
export function trainingSource(folder: string | undefined, options: SourceOptions): TrainingSource {
  const { features, ids, labels } = options;
  const given = [features, ids, labels].filter((option) => option !== undefined).length;
  if (folder !== undefined && given === 0) return { kind: 'folder', folder };
  if (folder === undefined && features !== undefined && ids !== undefined && labels !== undefined) {
    return { kind: 'features', features: features.split(','), ids, labels };
  }
  throw new UsageError('give a data folder, or --features, --ids and --labels together');
}

/** The plan that fold options stand for. */
export function foldPlan({ folds, seed, group, stratify }: FoldOptions): FoldPlan {
  return { folds, seed, grouping: group, stratification: stratify };
}

function foldCount(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
