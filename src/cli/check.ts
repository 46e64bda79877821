import { countOf } from '../ground/counts.ts';
import { SwardError } from '../ground/errors.ts';
import { underTargetNames } from '../pasture/targets.ts';
import { checkFolder, problemLine } from '../workflows/index.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';

/** `sward check`: lists everything wrong with a data folder. */
export const registerCheck: CommandRegistrar = (program) => {
  program
    .command('check')
    .description('validate a data folder and list every problem found')
    .argument('<DATA>', 'data folder with train.csv')
    .option('--json', 'print the problems as JSON')
    .action(async (folder: string, { json }: { json?: boolean }) => {
      const report = await checkFolder(folder, { progress: consoleProgress() });
      const { problems } = report;
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      printResult(
        json,
        () => ({
          ok: errors === 0,
          train_photos: report.trainPhotos,
          test_photos: report.testPhotos,
          ...(report.gaps !== null && { measured: underTargetNames(report.measured) }),
          problems,
        }),
        () =>
          [
            ...problems.map((problem) => `${problem.severity}: ${problemLine(problem)}`),
            `${folder}: ${report.trainPhotos} training and ${report.testPhotos} test photos, ` +
              `${countOf(errors, 'error')}, ${countOf(problems.length - errors, 'warning')}`,
            ...(report.gaps === null ? [] : [`measured: ${report.gaps}`]),
          ].join('\n'),
      );
      if (errors > 0)
        throw new SwardError(
          `${folder} has ${countOf(errors, 'error')}; correct ${errors === 1 ? 'it' : 'them'} before training`,
        );
    });
};
