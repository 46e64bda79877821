import { Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import { TARGET_NAMES, targetsToArray } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import { readPhotoStates } from '../train/ensemble-predict.ts';
import type { PhotoPrediction } from '../train/photo-prediction.ts';
import { findPhotos, predictFeatures, predictPhotos, TEST_TIME_TURNS } from '../train/predict.ts';
import { requirePredictionFormat, writePredictionFile } from '../train/prediction-files.ts';
import { type CommandRegistrar, positiveNumber, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';
import { textTable } from './tables.ts';

interface PredictCommandOptions {
  readonly out: string;
  readonly features?: string;
  readonly ids?: string;
  readonly area: number;
  readonly state?: string;
  readonly skipUnusable?: boolean;
  readonly tta: Tta;
  readonly json?: boolean;
}

type Tta = keyof typeof TEST_TIME_TURNS;

/** Photos listed on the screen; the file has all. */
const ROWS_SHOWN = 20;

/** `sward predict`: masses of photos or of rows of features. */
export const registerPredict: CommandRegistrar = (program) => {
  program
    .command('predict')
    .description('predict photos, or rows of features, with a run')
    .argument('<RUN>', 'run folder')
    .argument('[PATH...]', 'photos and folders of photos')
    .requiredOption('--out <FILE>', 'file to write: .csv, .json or .geojson')
    .option('--features <F.npy,…>', 'predict the rows of a feature file instead; ensembles may need several')
    .option('--ids <ids.txt>', 'photo id of each row of the feature file')
    .option(
      '--area <m2>',
      'area of the frame, for kg DM/ha',
      positiveNumber('--area'),
      QUADRAT_AREA_SQUARE_METRES,
    )
    .addOption(
      new Option('--tta <views>', 'average over mirror images (flips) or turns as well (d4)')
        .choices(Object.keys(TEST_TIME_TURNS))
        .default('none'),
    )
    .option('--state <WA|states.csv>', 'State of all photos, or image_id,State: for ensembles with wa-dead')
    .option('--skip-unusable', 'leave out photos that cannot be used instead of stopping')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, paths: string[], options: PredictCommandOptions) => {
      requirePredictionFormat(options.out);
      const predictions = await predictionsOf(run, paths, options);
      await writePredictionFile(options.out, predictions, options.area);
      printResult(
        options.json,
        () => ({ out: options.out, photos: predictions.length }),
        () => summary(predictions, options),
      );
    });
};

async function predictionsOf(
  run: string,
  paths: readonly string[],
  { features, ids, skipUnusable, tta, state }: PredictCommandOptions,
): Promise<PhotoPrediction[]> {
  if (features !== undefined && tta !== 'none') {
    throw new UsageError(`--tta ${tta} needs photos; features are of one view each`);
  }
  const states = state === undefined ? undefined : await readPhotoStates(state);
  if (features !== undefined && ids !== undefined && paths.length === 0) {
    return predictFeatures(run, features.split(','), ids, { ...(states && { states }) });
  }
  if (paths.length === 0 || features !== undefined || ids !== undefined) {
    throw new UsageError('give photos or folders of photos, or --features and --ids together');
  }
  return predictPhotos(run, await findPhotos(paths), {
    progress: consoleProgress(),
    tta,
    ...(states && { states }),
    ...(skipUnusable && {
      onUnusable: (error: Error) => process.stderr.write(`left out: ${error.message}\n`),
    }),
  });
}

function summary(predictions: readonly PhotoPrediction[], { out, area }: PredictCommandOptions): string {
  const rows = predictions.map(({ imageId, targets }) => [imageId, targetsToArray(targets)] as const);
  const mean = TARGET_NAMES.map((_, target) => {
    return rows.reduce((sum, [, masses]) => sum + (masses[target] ?? 0), 0) / rows.length;
  });
  const line = (name: string, masses: readonly number[]): string[] => [
    name,
    ...masses.map((mass) => mass.toFixed(1)),
    gramsToKilogramsPerHectare(masses[TARGET_NAMES.indexOf('Dry_Total_g')] ?? Number.NaN, area).toFixed(0),
  ];
  const shown = rows.slice(0, ROWS_SHOWN).map(([name, masses]) => line(name, masses));
  const hidden = rows.length - shown.length;
  return [
    textTable(
      ['photo', 'green g', 'dead g', 'clover g', 'GDM g', 'total g', 'total kg DM/ha'],
      [...shown, ...(rows.length > 1 ? [line('mean', mean)] : [])],
    ),
    ...(hidden > 0 ? [`${hidden} more photos are in the file`] : []),
    `${out}: ${rows.length} photos`,
  ].join('\n');
}
