import { Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import {
  exportRun,
  MODEL_INPUTS,
  type ModelInput,
  PRECISIONS,
  type Precision,
  TEST_TIME_TURNS,
} from '../workflows/index.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';

interface ExportCommandOptions {
  readonly out: string;
  readonly precision?: Precision;
  readonly input: ModelInput;
  readonly tta: keyof typeof TEST_TIME_TURNS;
  readonly kaggle?: boolean;
  readonly kaggleUser?: string;
  readonly wheel?: string[];
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward export`: a run as an ONNX model that needs nothing of sward. */
export const registerExport: CommandRegistrar = (program) => {
  program
    .command('export')
    .description('write a run as a portable ONNX model: photo in, five masses out')
    .argument('<RUN>', 'run folder')
    .requiredOption('--out <DIR>', 'folder to write')
    .addOption(
      new Option('--precision <type>', "weights of the backbone; default: the recipe's").choices(PRECISIONS),
    )
    .addOption(
      new Option('--input <kind>', 'photos of any size, or views that were cut and resized already')
        .choices(MODEL_INPUTS)
        .default('photos'),
    )
    .addOption(
      new Option('--tta <views>', 'average over mirror images (flips) or turns as well (d4)')
        .choices(Object.keys(TEST_TIME_TURNS))
        .default('none'),
    )
    .option('--kaggle', 'write a dataset and an offline notebook for the competition')
    .addOption(new Option('--kaggle-user <name>', 'account the two are for').env('KAGGLE_USERNAME'))
    .option('--wheel <FILE...>', 'wheels of onnxruntime that the dataset is to carry, with --kaggle')
    .option('--overwrite', 'replace an export that is there')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, options: ExportCommandOptions) => {
      const { kaggle, kaggleUser, wheel, precision, out, input, tta, overwrite } = options;
      if (wheel && !kaggle) throw new UsageError('--wheel is for the dataset that --kaggle writes');
      const outcome = await exportRun({
        ...{ run, out, input, tta, progress: consoleProgress() },
        ...(precision && { precision }),
        ...(overwrite && { overwrite }),
        ...(kaggle && {
          kaggle: { ...(kaggleUser !== undefined && { user: kaggleUser }), ...(wheel && { wheels: wheel }) },
        }),
      });
      printResult(
        options.json,
        () => outcome,
        () => `${out}: ${outcome.files.join(', ')}; models of ${(outcome.bytes / 2 ** 20).toFixed(1)} MiB`,
      );
    });
};
