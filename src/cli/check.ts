import { countOf } from '../ground/counts.ts';
import { SwardError } from '../ground/errors.ts';
import { underTargetNames } from '../pasture/targets.ts';
import { type CheckReport, checkFolder, problemLines } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { addCropOption, type CropOption } from './crop-option.ts';
import { wordTable } from './tables.ts';
import { addTableOptions, photoSource, type TableOptions } from './training-options.ts';

interface CheckCommandOptions extends TableOptions, CropOption {
  readonly json?: boolean;
}

/** `sward check`: lists everything wrong with a data folder or a table, and how a table is understood. */
export const registerCheck: CommandRegistrar = (program) => {
  const command = program
    .command('check')
    .description('validate a data folder or a table of your own, and list every problem found')
    .argument('<DATA>', 'data folder with train.csv, or a table of your own (.csv, .xlsx)')
    .option('--json', 'print the problems as JSON');
  addCropOption(addTableOptions(command)).action(async (data: string, options: CheckCommandOptions) => {
    const { crop = null } = options;
    const report = await checkFolder(await photoSource(data, options), { crop, progress: consoleProgress() });
    const { problems, reading } = report;
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    printResult(
      options.json,
      () => ({
        ok: errors === 0,
        train_photos: report.trainPhotos,
        test_photos: report.testPhotos,
        ...(reading && {
          reading: {
            notation: reading.notation,
            header_row: reading.headerRow,
            form: reading.form,
            columns: reading.columns,
            dates: reading.dates,
            area_m2: reading.areaSquareMetres,
          },
        }),
        ...(report.visits !== null && { visits: report.visits }),
        ...(report.gaps !== null && { measured: underTargetNames(report.measured) }),
        problems,
      }),
      () =>
        [
          ...(reading ? [readingText(reading)] : []),
          ...problemLines(problems),
          `${data}: ${report.trainPhotos} training and ${report.testPhotos} test photos, ` +
            `${countOf(errors, 'error')}, ${countOf(problems.length - errors, 'warning')}`,
          ...(report.visits === null
            ? []
            : [`${report.visits}: photos of one are never split between folds`]),
          ...(report.gaps === null ? [] : [`measured: ${report.gaps}`]),
        ].join('\n'),
    );
    if (errors > 0)
      throw new SwardError(
        `${data} has ${countOf(errors, 'error')}; correct ${errors === 1 ? 'it' : 'them'} before training`,
      );
  });
};

/** How a table was understood. */
function readingText(reading: NonNullable<CheckReport['reading']>): string {
  const { notation, headerRow, form, columns, dates, areaSquareMetres } = reading;
  return [
    `${notation}; header in row ${headerRow}, one row a photo${form === 'long' ? ' and mass' : ''}`,
    wordTable(
      ['column', 'read as', 'unit', ''],
      columns.map(({ column, role, unit, note }) => [column, role ?? 'left out', unit ?? '', note ?? '']),
    ),
    `dates: ${dates ?? 'none'}; frame: ${areaSquareMetres} m²`,
  ].join('\n');
}
