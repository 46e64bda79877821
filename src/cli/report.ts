import { join } from 'node:path';
import { readRunResults } from '../runs/run-results.ts';
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
      const out = options.out ?? join(run, 'report.html');
      // Plots bring a DOM along, which other commands should not have to load.
      const { writeReport } = await import('../report/index.ts');
      await writeReport(out, await readRunResults(run));
      printResult(
        options.json,
        () => ({ out }),
        () => out,
      );
    });
};
