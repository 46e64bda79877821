import { runDemo, scoreToJson } from '../workflows/index.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';
import { shown } from './tables.ts';
import { trainingSummary } from './train.ts';

/** `sward demo`: the main job on the bundled sample. */
export const registerDemo: CommandRegistrar = (program) => {
  program
    .command('demo')
    .description('render the sample, cross-validate, predict, write a submission and a report')
    .option('--out <RUN>', 'run folder to write', 'sward-demo')
    .option('--json', 'print the result as JSON')
    .action(async ({ out, json }: { out: string; json?: boolean }) => {
      const { results, test, sample, submission, report } = await runDemo(out, {
        progress: consoleProgress(),
      });
      printResult(
        json,
        () => ({
          sample,
          submission,
          report,
          out_of_fold: scoreToJson(results.outOfFold),
          test: scoreToJson(test),
        }),
        () =>
          [
            trainingSummary(results),
            `submission on ${test.imageCount} photos of sessions never seen: weighted R² ${shown(test.weightedR2, 4)}`,
            '',
            `sample data  ${sample}`,
            `submission   ${submission}`,
            `report       ${report}`,
          ].join('\n'),
      );
    });
};
