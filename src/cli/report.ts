import { reportRun } from '../workflows/index.ts';
import { addOverwriteOption, type CommandRegistrar, positiveWhole } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';

interface ReportCommandOptions {
  readonly out?: string;
  readonly explain?: true | number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Columns explained where no number is given. */
const COLUMNS_SHOWN = 20;

/** `sward report`: renders the report of a finished run again. */
export const registerReport: CommandRegistrar = (program) => {
  const command = program
    .command('report')
    .description('write report.html of a finished run')
    .argument('<RUN>', 'run folder')
    .option('--out <FILE.html>', 'file to write instead of RUN/report.html')
    .option(
      '--explain [N]',
      'show what the N columns of the input that matter most do to predictions (boosted trees; default 20)',
      (text: string) => positiveWhole('--explain')(text),
    )
    .option('--json', 'print the result as JSON');
  addOverwriteOption(command).action(async (run: string, options: ReportCommandOptions) => {
    const { explain } = options;
    const out = await reportRun(run, {
      progress: consoleProgress(),
      ...(options.overwrite && { overwrite: true }),
      ...(options.out !== undefined && { out: options.out }),
      ...(explain !== undefined && { explain: explain === true ? COLUMNS_SHOWN : explain }),
    });
    printResult(
      options.json,
      () => ({ out }),
      () => out,
    );
  });
};
