import { Option } from 'commander';
import { countOf } from '../ground/counts.ts';
import { readPhotoStates, submitRun, TEST_TIME_TURNS } from '../workflows/index.ts';
import { addOverwriteOption, type CommandRegistrar, frameArea } from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { addHeightOptions, covariateSource, type HeightOptions } from './training-options.ts';

interface SubmitCommandOptions extends HeightOptions {
  readonly out: string;
  readonly tta: keyof typeof TEST_TIME_TURNS;
  readonly state?: string;
  readonly area?: number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward submit`: answers `test.csv` with a run. */
export const registerSubmit: CommandRegistrar = (program) => {
  const command = program
    .command('submit')
    .description('predict the photos of test.csv and write a Kaggle submission')
    .argument('<RUN>', 'run folder')
    .argument('<DATA>', 'data folder with test.csv')
    .requiredOption('--out <submission.csv>', 'file to write')
    .addOption(
      new Option('--tta <views>', 'average over mirror images (flips) or turns as well (d4)')
        .choices(Object.keys(TEST_TIME_TURNS))
        .default('none'),
    )
    .option('--state <WA|states.csv>', 'State of all photos, or image_id,State: for ensembles with wa-dead')
    .option(
      '--area <m2>',
      "frame of the data folder's masses; default 0.21, that of the competition",
      frameArea,
    )
    .option('--json', 'print the result as JSON');
  addHeightOptions(addOverwriteOption(command)).action(
    async (
      run: string,
      folder: string,
      { out, tta, state, area, overwrite, json, ...given }: SubmitCommandOptions,
    ) => {
      const heights = covariateSource(given);
      const { photos, rows, covariates, lacking, remarks } = await submitRun(run, folder, out, {
        progress: consoleProgress(),
        tta,
        ...(heights && { heights }),
        ...(overwrite && { overwrite }),
        ...(area !== undefined && { areaSquareMetres: area }),
        ...(state !== undefined && { states: await readPhotoStates(state) }),
      });
      for (const remark of remarks) say(remark);
      printResult(
        json,
        () => ({ out, photos, rows, ...(covariates.length + lacking.length > 0 && { covariates }) }),
        () => `${out}: ${countOf(rows, 'row')} for ${countOf(photos, 'photo')}`,
      );
    },
  );
};
