import { reportRun } from '../workflows/report.ts';
import { type CommandRegistrar, printResult } from './command.ts';

/** `sward report`: renders the report of a finished run again. */
export const registerReport: CommandRegistrar = (program) => {
  program
    .command('report')
    .description('write report.html of a finished run')
    .argument('<RUN>', 'run folder')
    .option('--out <FILE.html>', 'file to write instead of RUN/report.html')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, options: { out?: string; json?: boolean }) => {
      const out = await reportRun(run, options.out);
      printResult(
        options.json,
        () => ({ out }),
        () => out,
      );
    });
};
