import { join } from 'node:path';
import { Option } from 'commander';
import {
  CERTAINTIES,
  type Certainty,
  PSEUDO_DEFAULTS,
  PSEUDO_TEACHERS,
  type PseudoTeacher,
  pseudoLabelRun,
  scoreToJson,
  TEST_TIME_TURNS,
} from '../workflows/index.ts';
import { type CommandRegistrar, positiveNumber } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { shown, textTable } from './tables.ts';
import { addTableOptions, photoSource, type TableOptions } from './training-options.ts';

interface PseudoCommandOptions extends TableOptions {
  readonly unlabelled: string;
  readonly out: string;
  readonly rounds: number;
  readonly keep: number;
  readonly weight: number;
  readonly certainty: Certainty;
  readonly teacher: PseudoTeacher;
  readonly mcDropout?: number;
  readonly tta: keyof typeof TEST_TIME_TURNS;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward pseudo`: trains a run again with photos that it labelled itself. */
export const registerPseudo: CommandRegistrar = (program) => {
  const command = program
    .command('pseudo')
    .description('train a run again, in rounds, with unlabelled photos that it labels itself')
    .argument('<RUN>', 'finished run that labels the first round')
    .argument('<DATA>', 'data folder or table the run was trained on')
    .requiredOption('--unlabelled <DIR>', 'folder of photos without masses')
    .requiredOption('--out <RUN>', 'run folder to write')
    .option('--rounds <n>', 'rounds', positiveNumber('--rounds'), PSEUDO_DEFAULTS.rounds)
    .option('--keep <share>', 'most certain share kept', positiveNumber('--keep'), PSEUDO_DEFAULTS.keep)
    .option(
      '--weight <w>',
      'what such a photo counts; a measured one counts 1',
      positiveNumber('--weight'),
      PSEUDO_DEFAULTS.weight,
    )
    .addOption(
      new Option('--certainty <kind>', 'spread in grams, or relative to the mass')
        .choices(CERTAINTIES)
        .default(PSEUDO_DEFAULTS.certainty),
    )
    .addOption(
      new Option('--teacher <folds>', 'labels from the own fold’s model only (no leak), or from all folds')
        .choices(PSEUDO_TEACHERS)
        .default(PSEUDO_DEFAULTS.teacher),
    )
    .option(
      '--mc-dropout <n>',
      'add the spread of n predictions with dropout on',
      positiveNumber('--mc-dropout'),
    )
    .addOption(
      new Option('--tta <views>', 'average the labels over views')
        .choices(Object.keys(TEST_TIME_TURNS))
        .default('none'),
    )
    .option('--resume', 'go on with an unfinished run of the same command')
    .option('--overwrite', 'replace the run that is in the folder')
    .option('--json', 'print the rounds as JSON');
  addTableOptions(command).action(async (run: string, data: string, options: PseudoCommandOptions) => {
    const { unlabelled, mcDropout, json, photos, columns, sheet, dates, decimal, area, ...settings } =
      options;
    const folder = await photoSource(data, options);
    const results = await pseudoLabelRun({
      ...settings,
      run,
      folder,
      unlabelled,
      ...(mcDropout !== undefined && { dropoutSamples: mcDropout }),
      progress: consoleProgress(),
    });
    const rounds = results.pseudo?.rounds ?? [];
    printResult(
      json,
      () => ({ run: options.out, ...scoreToJson(results.outOfFold), rounds }),
      () =>
        [
          textTable(
            ['round', 'photos kept', 'mean total kept, g', 'mean change of total, g', 'weighted R²'],
            rounds.map(({ round, weightedR2, labels }) => [
              String(round),
              labels ? `${labels.kept} of ${labels.unlabelled}` : '',
              labels ? labels.meanKept.total.toFixed(1) : '',
              labels?.meanChange ? labels.meanChange.total.toFixed(1) : '',
              shown(weightedR2, 4),
            ]),
          ),
          `report: ${join(options.out, 'report.html')}`,
        ].join('\n'),
    );
  });
};
