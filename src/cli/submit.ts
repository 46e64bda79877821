import { submitRun } from '../train/submit.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';

/** `sward submit`: answers `test.csv` with a run. */
export const registerSubmit: CommandRegistrar = (program) => {
  program
    .command('submit')
    .description('predict the photos of test.csv and write a Kaggle submission')
    .argument('<RUN>', 'run folder')
    .argument('<DATA>', 'data folder with test.csv')
    .requiredOption('--out <submission.csv>', 'file to write')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, folder: string, { out, json }: { out: string; json?: boolean }) => {
      const { photos, rows } = await submitRun(run, folder, out, consoleProgress());
      printResult(
        json,
        () => ({ out, photos, rows }),
        () => `${out}: ${rows} rows for ${photos} photos`,
      );
    });
};
