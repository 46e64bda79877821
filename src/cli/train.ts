import { join } from 'node:path';
import { parseChange, type SettingChange } from '../ground/setting-change.ts';
import { mean } from '../ground/statistics.ts';
import { caseWords } from '../pasture/covariates.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import {
  caseToJson,
  DEFAULT_FOLD_PLAN,
  DEFAULT_RECIPES,
  headlineRows,
  mainCase,
  meanAnswerScore,
  RECIPE_NAMES,
  type RepeatedResults,
  type RunResults,
  repeatedToJson,
  scoreToJson,
  splitSentence,
  splitSessions,
  trainRepeatedly,
  trainRun,
} from '../workflows/index.ts';
import { addClusterOptions, type ClusterOptions, clusterOf } from './cluster-options.ts';
import { type CommandRegistrar, collected, seedList } from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { addCropOption, type CropOption } from './crop-option.ts';
import { caseTable, scoreTable, shown, textTable } from './tables.ts';
import {
  addCovariateOptions,
  addFoldOptions,
  addSourceOptions,
  type CovariateOptions,
  covariateSource,
  type FoldOptions,
  foldPlan,
  type SourceOptions,
  trainingSource,
} from './training-options.ts';

interface TrainCommandOptions
  extends SourceOptions,
    FoldOptions,
    CovariateOptions,
    CropOption,
    ClusterOptions {
  readonly with?: string;
  readonly recipe?: string;
  readonly out: string;
  readonly set?: readonly string[];
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly seeds?: readonly number[];
  readonly learningCurve?: boolean;
  readonly json?: boolean;
}

/** `sward train`: cross-validates a recipe into a run folder. */
export const registerTrain: CommandRegistrar = (program) => {
  const command = program
    .command('train')
    .description('cross-validate a recipe and write a run folder')
    .argument('[DATA]', 'data folder with train.csv, or a table of your own (.csv, .xlsx)')
    .option(
      '--recipe <NAME|FILE>',
      `one of ${RECIPE_NAMES.join(', ')}, or a .json file; default ${DEFAULT_RECIPES.folder}, on features ${DEFAULT_RECIPES.features}`,
    )
    .requiredOption('--out <RUN>', 'run folder to write')
    .option(
      '--set <a.b=value>',
      'change a setting of the recipe (sward recipes NAME lists them); may be repeated',
      collected,
    )
    .option(
      '--with <height,ndvi>',
      'read what was measured beside the photo too, where it is known: height, ndvi, or columns of numbers',
    )
    .option('--resume', 'go on with an unfinished run of the same command')
    .option('--overwrite', 'replace the run that is in the folder')
    .option('--seeds <0-4>', 'train once a seed, into RUN/seed-K, and summarise', seedList)
    .option('--learning-curve', 'score by number of training sessions as well')
    .option('--json', 'print the scores as JSON');
  addClusterOptions(addCropOption(addFoldOptions(addCovariateOptions(addSourceOptions(command))))).action(
    async (folder: string | undefined, options: TrainCommandOptions) => {
      const training = {
        source: { ...(await trainingSource(folder, options)), covariates: covariateSource(options) },
        ...(options.recipe !== undefined && { recipe: options.recipe }),
        settings: [
          ...(options.with === undefined
            ? []
            : [
                {
                  path: ['covariates'],
                  value: options.with.split(',').filter((name) => name.trim() !== ''),
                  written: `--with ${options.with}`,
                },
              ]),
          ...(options.set ?? []).map(parseChange),
          ...cropChange(options),
        ],
        out: options.out,
        plan: foldPlan(options),
        resume: options.resume ?? false,
        overwrite: options.overwrite ?? false,
        learningCurve: options.learningCurve ?? false,
        progress: consoleProgress(),
      };
      const cluster = await clusterOf(options);
      if (options.seeds) {
        const repeated = cluster
          ? await (await import('../cluster/index.ts')).trainRepeatedlyOn(training, options.seeds, cluster)
          : await trainRepeatedly(training, options.seeds);
        if (!repeated) return;
        for (const { results } of repeated.runs.slice(0, 1)) warnOfSplitSessions(results);
        printResult(
          options.json,
          () => ({ run: options.out, ...repeatedToJson(repeated) }),
          () => repeatedSummary(repeated),
        );
        return;
      }
      const results = cluster
        ? await (await import('../cluster/index.ts')).trainOn(training, cluster)
        : await trainRun(training);
      if (!results) return;
      warnOfSplitSessions(results);
      noteFewerFolds(results, options);
      printResult(
        options.json,
        () => ({
          run: options.out,
          ...scoreToJson(results.outOfFold),
          per_fold: results.perFold.map(({ fold, score }) => ({ fold, weighted_r2: score.weightedR2 })),
          mean_answer: { weighted_r2: numberOrNull(meanAnswerScore(headlineRows(results))) },
          split_sessions: splitSessions(results.rows),
          leave_one_state_out: results.leaveOneStateOut?.pooled.weightedR2 ?? null,
          ...(results.cases && { covariates: results.cases.map(caseToJson) }),
        }),
        () => [trainingSummary(results), `report: ${join(options.out, 'report.html')}`].join('\n'),
      );
    },
  );
};

/** `--crop` as the setting of the recipe that it is. */
const cropChange = ({ crop }: CropOption): SettingChange[] =>
  crop === undefined ? [] : [{ path: ['crop'], value: crop ?? undefined, written: '--crop' }];

const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Fewer folds than usual, where nobody asked for a number. */
function noteFewerFolds({ perFold }: RunResults, { folds }: TrainCommandOptions): void {
  if (folds !== undefined || perFold.length >= Number(DEFAULT_FOLD_PLAN.folds)) return;
  say(`note: ${perFold.length} folds, one a visit: the photos are of no more visits`);
}

/** What a score out of fold cannot be trusted for where visits are split. */
function warnOfSplitSessions({ rows }: RunResults): void {
  const split = splitSessions(rows);
  if (split) say(`warning: ${splitSentence(split)} (--group date-state)`);
}

/** The out-of-fold scores of a run as text. */
export function trainingSummary(results: RunResults): string {
  const folds = results.perFold.map(({ score }) => shown(score.weightedR2, 3)).join('  ');
  const states = results.leaveOneStateOut;
  const main = mainCase(results.cases);
  return [
    `${results.recipeName}${main ? ` ${caseWords(main.covariates)}` : ''}, out of fold:`,
    scoreTable(results.outOfFold),
    `by fold: ${folds}`,
    `answering each training part's mean: weighted R² ${shown(meanAnswerScore(headlineRows(results)), 4)}`,
    ...(states ? [`one State held out at a time: weighted R² ${shown(states.pooled.weightedR2, 4)}`] : []),
    ...(results.cases ? [caseTable(results.cases)] : []),
    ...(results.bySessions ?? []).map(
      ({ sessions, weighted_r2 }) =>
        `${shown(sessions, 1)} training sessions: weighted R² ${weighted_r2.map((score) => shown(score, 3)).join('  ')}`,
    ),
  ].join('\n');
}

/** Scores over seeds as text. */
function repeatedSummary({ runs, weightedR2, perTarget, cases }: RepeatedResults): string {
  const rows = [
    ...TARGET_NAMES.filter((name) =>
      runs.some(({ results }) => results.outOfFold.perTarget[name].photos > 0),
    ).map((name) => [`${name} R²`, perTarget[name]] as const),
    ['weighted R²', weightedR2] as const,
  ].map(([name, { mean, deviation }]) => [name, shown(mean, 4), shown(deviation, 4)]);
  return [
    ...runs.map(
      ({ seed, run, results }) => `seed ${seed}: ${shown(results.outOfFold.weightedR2, 4)}  ${run}`,
    ),
    textTable(['over seeds', 'mean', 'sd'], rows),
    ...cases.map(({ covariates, weightedR2: score, leaveOneStateOut: states }) => {
      const out = states ? `, one State out ${shown(states.mean, 4)}` : '';
      return `${caseWords(covariates)}: weighted R² ${shown(score.mean, 4)}${out}`;
    }),
    `answering each training part's mean: weighted R² ${shown(mean(runs.map(({ results }) => meanAnswerScore(headlineRows(results)))), 4)}`,
  ].join('\n');
}
