import { statSync } from 'node:fs';
import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { BOOTSTRAP_DEFAULTS, type Difference } from '../pasture/paired-bootstrap.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import {
  type Comparison,
  compareFiles,
  compareRuns,
  scoreFiles,
  scoreToJson,
  splitSentence,
} from '../workflows/index.ts';
import { type CommandRegistrar, wholeNumber } from './command.ts';
import { printResult, say } from './console.ts';
import { scoreTable, shown, textTable } from './tables.ts';
import { addTableOptions, type TableOptions, tableReading } from './training-options.ts';

interface ScoreCommandOptions extends TableOptions {
  readonly compare?: boolean;
  readonly draws: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** `sward score`: the competition's metric of a file of predictions, or what tells two runs apart. */
export const registerScore: CommandRegistrar = (program) => {
  const command = program
    .command('score')
    .description('score predictions against measured masses, or compare two runs')
    .argument(
      '<FILE...>',
      'TRUTH PRED.csv, TRUTH a train.csv or a table of your own; with --compare RUN_A RUN_B, or TRUTH.csv A.csv B.csv',
    )
    .option('--compare', 'paired comparison by a bootstrap over sessions')
    .option('--draws <n>', 'draws of the bootstrap', wholeNumber('--draws'), BOOTSTRAP_DEFAULTS.draws)
    .option('--seed <n>', 'seed of the bootstrap', wholeNumber('--seed'), BOOTSTRAP_DEFAULTS.seed)
    .option('--json', 'print the result as JSON');
  addTableOptions(command).action(async (files: string[], options: ScoreCommandOptions) => {
    if (options.compare) return printComparison(files, options);
    const [truth, predictions, ...more] = files;
    if (truth === undefined || predictions === undefined || more.length > 0) {
      throw new UsageError('give TRUTH.csv and PRED.csv; --compare compares two runs');
    }
    if (isFolder(truth) && isFolder(predictions)) {
      throw new UsageError(`to compare two runs, sward score --compare ${truth} ${predictions}`);
    }
    const { score, unknownIds, unmeasured, meanAnswer } = await scoreFiles(
      truth,
      predictions,
      await tableReading(options),
    );
    if (unknownIds.length > 0) {
      say(`${predictions}: ${countOf(unknownIds.length, 'photo')} not in ${truth} and left out`);
    }
    if (unmeasured.length > 0) {
      const masses = unmeasured.join(', ');
      say(
        `warning: ${predictions} predicts ${masses}, and ${truth} measures none of it: it has no part in the score; ` +
          `where a column has it, name that by --columns, as --columns ${unmeasured[0]}="…"`,
      );
    }
    printResult(
      options.json,
      () => ({
        ...scoreToJson(score),
        mean_answer: {
          weighted_r2: Number.isFinite(meanAnswer.weightedR2) ? meanAnswer.weightedR2 : null,
          of: meanAnswer.of,
        },
      }),
      () =>
        [
          scoreTable(score),
          `answering ${meanAnswer.of === 'these photos' ? "these photos' own" : "each training part's"} mean: ` +
            `weighted R² ${shown(meanAnswer.weightedR2, 4)}`,
        ].join('\n'),
    );
  });
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

async function printComparison(
  files: readonly string[],
  { draws, seed, area, json }: ScoreCommandOptions,
): Promise<void> {
  if (draws < 1) throw new UsageError(`--draws ${draws}: give a whole number above 0`);
  const [a, b, c] = files;
  if (a === undefined || b === undefined || files.length > 3) {
    throw new UsageError('--compare needs two runs, or TRUTH.csv and two files of predictions');
  }
  const comparison =
    c === undefined
      ? await compareRuns(a, b, { draws, seed })
      : await compareFiles(a, b, c, { draws, seed, areaSquareMetres: area });
  for (const { name, splitSessions: split } of [comparison.first, comparison.second]) {
    if (split) say(`warning: ${name}: ${splitSentence(split)}`);
  }
  printResult(
    json,
    () => comparisonToJson(comparison),
    () => comparisonSummary(comparison),
  );
}

function comparisonToJson({ first, second, difference, photos, units, settings }: Comparison): unknown {
  const plain = ({ estimate, low, high }: Difference): unknown => ({
    difference: estimate,
    low: Number.isFinite(low) ? low : null,
    high: Number.isFinite(high) ? high : null,
  });
  const side = ({ name, weightedR2, repeats, splitSessions }: Comparison['first']): unknown => ({
    name,
    ...(splitSessions && { split_sessions: splitSessions }),
    weighted_r2: weightedR2,
    by_seed: repeats,
  });
  return {
    first: side(first),
    second: side(second),
    weighted_r2: plain(difference.weightedR2),
    probability_first_better: difference.probabilityFirstBetter,
    per_target_r2: Object.fromEntries(TARGET_NAMES.map((name) => [name, plain(difference.perTarget[name])])),
    n_images: photos,
    [`n_${units.kind}`]: units.count,
    draws: settings.draws,
    confidence: settings.confidence,
  };
}

function comparisonSummary({ first, second, difference, photos, units, settings }: Comparison): string {
  const percent = `${shown(100 * settings.confidence, 0)} %`;
  const row = (name: string, { estimate, low, high }: Difference): string[] => [
    name,
    shown(estimate, 4),
    `${shown(low, 4)} to ${shown(high, 4)}`,
  ];
  const seeds = first.repeats.length;
  return [
    ...[first, second].map(
      ({ name, weightedR2 }) =>
        `${name}: weighted R² ${shown(weightedR2, 4)}${seeds > 1 ? `, mean of ${seeds} seeds` : ''}`,
    ),
    textTable(
      ['first − second', 'difference', `${percent} interval`],
      [
        row('weighted R²', difference.weightedR2),
        // A target that was measured of no photo has no R².
        ...TARGET_NAMES.filter((name) => !Number.isNaN(difference.perTarget[name].estimate)).map((name) =>
          row(`${name} R²`, difference.perTarget[name]),
        ),
      ],
    ),
    `the first is better in ${shown(100 * difference.probabilityFirstBetter, 1)} % of ${settings.draws} draws of ` +
      `${units.count} ${units.kind} (${countOf(photos, 'photo')})`,
  ].join('\n');
}
