import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { type CommandRegistrar, positiveWhole, wholeNumber } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';

interface UnitCommandOptions {
  readonly index?: number;
  readonly of?: number;
  readonly threads?: number;
  readonly scratch?: string;
  readonly json?: boolean;
}

/** `sward unit`: computes one unit of a plan, or one task's share of them. */
export const registerUnit: CommandRegistrar = (program) => {
  program
    .command('unit')
    .description('compute a unit, or a share of the units of a plan; what is done is skipped')
    .argument('<SPEC>', 'spec of a unit, or list.json of a job; a path or s3://…')
    .option('--index <i>', 'of a list: which share, from 0', wholeNumber('--index'))
    .option('--of <n>', 'of a list: how many shares', positiveWhole('--of'))
    .option('--threads <n>', 'threads of a unit; default one a physical core', positiveWhole('--threads'))
    .option('--scratch <DIR>', 'folder for what a unit keeps while it works; default one of the cache')
    .option('--json', 'print the result as JSON')
    .action(async (spec: string, { json, ...options }: UnitCommandOptions) => {
      const { index = 0, of = 1 } = options;
      if (index < 0 || index >= of)
        throw new UsageError(`--index ${index}: give 0 to ${of - 1} of --of ${of}`);
      const { computeUnits } = await import('../cluster/index.ts');
      const fates = await computeUnits({ ...options, spec, progress: consoleProgress() });
      printResult(
        json,
        () => fates,
        () => `${countOf(fates.done, 'unit')} done now, ${fates.known} before`,
      );
    });
};
