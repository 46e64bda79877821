import { Option } from 'commander';
import { isPartsLocation, PARTS_FORMATS, type PartsFormat } from '../cluster/choices.ts';
import type { Cluster, PartsSummary, PredictOnOptions } from '../cluster/index.ts';
import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import {
  namedRun,
  PhotoNotes,
  type PredictionOutcome,
  type PredictRunOptions,
  paddockRecord,
  predictionRecord,
  predictRun,
  readPhotoStates,
  STARTER,
  sessionsNote,
  TEST_TIME_TURNS,
  USUAL_COVERAGE,
} from '../workflows/index.ts';
import { type AskedOptions, addAskedCovariates, askedCovariates } from './asked-covariates.ts';
import {
  addChunkOption,
  addClusterOptions,
  type ClusterOptions,
  clusterOf,
  orWrittenByAnother,
  problemLine,
} from './cluster-options.ts';
import {
  addOverwriteOption,
  type CommandRegistrar,
  frameArea,
  optionNumber,
  positiveNumber,
  wholeNumber,
} from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { addCropOption, type CropOption } from './crop-option.ts';
import { predictionSummary } from './predict-summary.ts';

interface PredictCommandOptions extends AskedOptions, CropOption, ClusterOptions {
  readonly chunk?: number;
  readonly parts: PartsFormat;
  readonly out?: string;
  readonly features?: string;
  readonly ids?: string;
  readonly area?: number;
  readonly state?: string;
  readonly coverage?: number;
  readonly uncertainty?: boolean;
  readonly mcDropout?: number;
  readonly hectares?: number;
  readonly map?: string;
  readonly showCrop?: string;
  readonly skipUnusable?: boolean;
  readonly overwrite?: boolean;
  readonly tta: Tta;
  readonly json?: boolean;
}

type Tta = keyof typeof TEST_TIME_TURNS;

/** `sward predict`: masses of photos or of rows of features. */
export const registerPredict: CommandRegistrar = (program) => {
  const command = program
    .command('predict')
    .description('predict photos, or rows of features, with a run')
    .argument(
      '[RUN]',
      'run folder (or s3://…), or a name of `sward models`; without it the starter that comes with sward',
    )
    .argument('[PATH...]', 'photos and folders of photos')
    .option(
      '--out <FILE>',
      'file to write: .csv, .json or .geojson; with --on also a folder (DIR/) or s3:// prefix of parts',
    )
    .option('--features <F.npy,…>', 'predict the rows of a feature file instead; ensembles may need several')
    .option('--ids <ids.txt>', 'photo id of each row of the feature file')
    .option(
      '--area <m2>',
      "area of the frame that grams are said on; default that of the run's training data",
      frameArea,
    )
    .addOption(
      new Option('--tta <views>', 'average over mirror images (flips) or turns as well (d4)')
        .choices(Object.keys(TEST_TIME_TURNS))
        .default('none'),
    )
    .option('--state <WA|states.csv>', 'State of all photos, or image_id,State: for ensembles with wa-dead')
    .option(
      '--coverage <share>',
      'add intervals that cover this share of photos, as 0.9',
      share('--coverage'),
    )
    .option('--uncertainty', 'add how much the fold models differ and how unlike the training photos it is')
    .option('--mc-dropout <N>', 'add the spread of N predictions with dropout left on', samples)
    .option(
      '--hectares <ha>',
      "size of the photos' paddock: adds its total, with --out in FILE.paddock.json",
      positiveNumber('--hectares'),
    )
    .option('--map <DIR>', 'draw where the biomass is, for runs of recipe density')
    .option('--show-crop <DIR>', 'write what was taken of each photo as DIR/ID.jpg')
    .option('--skip-unusable', 'leave out photos that cannot be used instead of stopping')
    .addOption(new Option('--parts <format>', 'how parts are written').choices(PARTS_FORMATS).default('csv'))
    .option('--json', 'print the result as JSON');
  addChunkOption(
    addClusterOptions(
      addCropOption(addAskedCovariates(addOverwriteOption(command)), 'as the run was trained'),
    ),
  ).action(async (first: string | undefined, further: string[], options: PredictCommandOptions) => {
    const { out } = options;
    const paths = first === undefined ? [] : [first, ...further];
    // Beside features nothing but a run is named.
    const named =
      options.features !== undefined
        ? { run: first ?? null, photos: further }
        : await namedRun(paths, options.engine?.gathers !== undefined);
    const run = named.run ?? STARTER;
    const covariates = askedCovariates(options);
    const wanted = {
      run,
      source: sourceOf(named.photos, options),
      ...(options.area !== undefined && { areaSquareMetres: options.area }),
      ...(options.hectares !== undefined && { hectares: options.hectares }),
      tta: options.tta,
      progress: consoleProgress(),
      ...(out !== undefined && { out }),
      ...(options.overwrite && { overwrite: true }),
      ...(options.coverage !== undefined && { coverage: options.coverage }),
      ...(options.uncertainty && { uncertainty: true }),
      ...(options.map !== undefined && { maps: options.map }),
      ...(covariates && { covariates }),
      ...(options.crop !== undefined && { crop: options.crop }),
      ...(options.showCrop !== undefined && { shownCrops: options.showCrop }),
      ...(options.mcDropout !== undefined && { dropoutSamples: options.mcDropout }),
      ...(options.state !== undefined && { states: await readPhotoStates(options.state) }),
      ...(options.skipUnusable && {
        onUnusable: (error: Error) => say(`left out: ${error.message}`),
      }),
    };
    const cluster = await clusterOf(options);
    if (cluster && out !== undefined && isPartsLocation(out)) {
      return predictParts({ ...(wanted as PredictOnOptions), out }, options, cluster);
    }
    const outcome = cluster ? await predictElsewhere(wanted, options, cluster) : await predictHere(wanted);
    if (!outcome) return;
    const { predictions, shownPaths, coverage, paddock, paddockFile, sure, doubts, sessions } = outcome;
    const { about, areaSquareMetres } = outcome;
    const mean = predictions.length > 1 || options.hectares !== undefined ? paddock : null;
    const few = mean || coverage !== null ? sessionsNote(sessions, coverage ?? USUAL_COVERAGE) : null;
    if (few !== null) say(few);
    const notes = new PhotoNotes();
    notes.add(predictions, doubts);
    for (const line of notes.lines()) say(line);
    const shown = {
      area: areaSquareMetres,
      doubtful: new Set(doubts.map(({ imageId }) => imageId)),
      ...(out !== undefined && { out, paddockFile }),
      ...(coverage !== null && { coverage }),
      ...((options.uncertainty || about) && { uncertainty: true }),
      ...(options.hectares !== undefined && { hectares: options.hectares }),
      ...(outcome.covariates.length > 0 && { covariates: true }),
    };
    printResult(
      options.json,
      () => ({
        ...(out === undefined ? { run } : { out }),
        ...(paddockFile !== null && { paddock_file: paddockFile }),
        photos: predictions.length,
        ...(out === undefined && {
          predictions: predictions.map((prediction) =>
            predictionRecord(prediction, { ...shown, shownPaths, areaSquareMetres }),
          ),
        }),
        ...(mean && { paddock: paddockRecord(mean, areaSquareMetres, options.hectares) }),
        ...(mean &&
          sure && { paddock_without_doubtful: paddockRecord(sure, areaSquareMetres, options.hectares) }),
        doubts: doubts.map(({ imageId, kind }) => ({ image_id: imageId, kind })),
      }),
      () =>
        [
          predictionSummary(predictions, mean, { ...shown, sure }),
          ...(about ? [`${about.what}${named.run === null ? '; `sward models` says more' : ''}`] : []),
        ].join('\n'),
    );
  });
};

async function predictHere(wanted: PredictRunOptions & { readonly run: string }): Promise<PredictionOutcome> {
  requireHere(wanted.source);
  return predictRun(wanted);
}

/** @throws UsageError for what only units read */
function requireHere(source: PredictRunOptions['source']): void {
  const named = Array.isArray(source) ? source : 'features' in source ? source.features : [];
  const stored = named.find((one) => typeof one === 'string' && one.startsWith('s3://'));
  if (stored === undefined) return;
  throw new UsageError(`${stored} lies in a bucket; add --on local to read it there, or --on redis://…`);
}

/** @returns null where the work is planned alone, undefined where another command has written the result */
async function predictElsewhere(
  wanted: Omit<PredictOnOptions, 'out'>,
  { out, chunk }: PredictCommandOptions,
  cluster: Cluster,
): Promise<PredictionOutcome | null | undefined> {
  if (out === undefined)
    throw new UsageError('--on computes elsewhere; say where the result goes: --out FILE');
  const { predictOn } = await import('../cluster/index.ts');
  const predicted = await orWrittenByAnother(out, () =>
    predictOn({ ...wanted, out, ...(chunk !== undefined && { chunk }) }, cluster),
  );
  if (predicted === undefined) return undefined;
  if (predicted?.problemsFile) say(problemLine(predicted.problems, predicted.problemsFile));
  return predicted?.outcome ?? null;
}

async function predictParts(
  wanted: PredictOnOptions,
  { parts, chunk, hectares, json }: PredictCommandOptions,
  cluster: Cluster,
): Promise<void> {
  if (hectares !== undefined)
    throw new UsageError('--hectares is for the photos of one paddock; write one file');
  const { out } = wanted;
  const place = out.replace(/\/+$/, '');
  const { FinishedAlready, predictInParts } = await import('../cluster/index.ts');
  const summary = await orWrittenByAnother(`${place}/summary.json`, () =>
    predictInParts({ ...wanted, format: parts, ...(chunk !== undefined && { chunk }) }, cluster),
  ).catch((error: unknown) => {
    if (!(error instanceof FinishedAlready)) throw error;
    say(error.message);
    return cluster.engine.plansAlone ? null : error.summary;
  });
  if (!summary) return;
  if (summary.problems > 0) say(problemLine(summary.problems, `${place}/problems.csv`));
  printResult(
    json,
    () => ({ out, ...summary }),
    () => partsText(out, summary),
  );
}

const partsText = (out: string, { photos, parts, kg_dm_per_ha, doubtful }: PartsSummary): string =>
  [
    `${out}: ${countOf(photos, 'photo')} in ${countOf(parts.length, 'part')}`,
    `mean ${kg_dm_per_ha === null ? 'unknown' : `${kg_dm_per_ha.toFixed(0)} kg DM/ha`}, ${doubtful} doubtful; summary.json has the rest`,
  ].join('\n');

/** @throws UsageError unless photos are named, or features with their ids */
function sourceOf(
  paths: readonly string[],
  { features, ids }: Pick<PredictCommandOptions, 'features' | 'ids'>,
): PredictOnOptions['source'] {
  if (features !== undefined && ids !== undefined && paths.length === 0) {
    return { features: features.split(','), ids };
  }
  if (paths.length > 0 && features === undefined && ids === undefined) return paths;
  throw new UsageError('give photos or folders of photos, or --features and --ids together');
}

/** Parses a share option. @throws UsageError naming the option */
function share(option: string): (text: string) => number {
  return (text) => {
    const value = optionNumber(text);
    if (value > 0 && value < 1) return value;
    throw new UsageError(`${option} ${text}: give a number between 0 and 1, as 0.9`);
  };
}

/** Parses a number of samples that has a spread. @throws UsageError below 2 */
function samples(text: string): number {
  const value = wholeNumber('--mc-dropout')(text);
  if (value >= 2) return value;
  throw new UsageError(`--mc-dropout ${text}: give 2 or more`);
}
