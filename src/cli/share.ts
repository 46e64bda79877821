import { shareRun } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';

interface ShareCommandOptions {
  readonly out: string;
  readonly what: string;
  readonly licence: string;
  readonly attribution: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward share`: a run without its data, to be passed on. */
export const registerShare: CommandRegistrar = (program) => {
  program
    .command('share')
    .description('copy a run without its data: it predicts, and holds no photo, id or table of masses')
    .argument('<RUN>', 'run folder')
    .requiredOption('--out <DIR>', 'folder to write')
    .requiredOption('--what <text>', 'what it is, in one line')
    .requiredOption('--licence <name>', 'under which it is passed on')
    .requiredOption('--attribution <text>', 'whom to name, and where the data come from')
    .option('--overwrite', 'replace a run that is there')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, options: ShareCommandOptions) => {
      const { out, what, licence, attribution, overwrite = false, json } = options;
      const { about } = await shareRun({ run, out, about: { what, licence, attribution }, overwrite });
      printResult(
        json,
        () => ({ out, ...about }),
        () => `${out}: ${what}; card.md says what it is`,
      );
    });
};
