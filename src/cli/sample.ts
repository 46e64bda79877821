import { renderSample } from '../workflows/index.ts';
import { type CommandRegistrar, wholeNumber } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';

interface SampleCommandOptions {
  readonly out: string;
  readonly n: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** `sward sample`: renders a data folder with exactly known masses. */
export const registerSample: CommandRegistrar = (program) => {
  program
    .command('sample')
    .description('render a sample data folder: photos of quadrats with exactly known mass')
    .requiredOption('--out <DIR>', 'folder to write')
    .option('--n <photos>', 'training photos', wholeNumber('--n'), 60)
    .option('--seed <n>', 'seed of everything drawn', wholeNumber('--seed'), 1)
    .option('--json', 'print the result as JSON')
    .action(async ({ out, n, seed, json }: SampleCommandOptions) => {
      const summary = await renderSample({ out, count: n, seed, progress: consoleProgress() });
      printResult(
        json,
        () => summary,
        () =>
          `${out}: ${summary.trainImages} training and ${summary.testImages} test photos of ${summary.sessions} sessions`,
      );
    });
};
