import { existsSync } from 'node:fs';
import { basename, dirname, extname } from 'node:path';
import { type PredictionColumn, predictionText } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { requireReplaceable } from '../../ground/files.ts';
import { GrowingFile } from '../../ground/growing-file.ts';
import { setName } from '../../pasture/covariates.ts';
import { MASS_NAMES, type MassName, TARGET_NAMES, type TargetName } from '../../pasture/targets.ts';
import { type PhotoPrediction, spreadOf } from '../../runs/prediction.ts';
import { isResult } from '../../runs/run-files.ts';
import { isRunFolder } from '../../runs/run-folder.ts';
import { readPhotoFacts } from '../../vision/photos/index.ts';
import { requireOwnOutput } from '../outputs/own-outputs.ts';
import { type PredictionFileOptions, predictionRecord } from './prediction-record.ts';

const FORMATS = ['.csv', '.json', '.geojson'] as const;

/**
 * Refuses a name whose ending is no format of predictions, before any work is done.
 *
 * @throws UsageError naming the formats
 */
export function requirePredictionFormat(out: string): void {
  if ((FORMATS as readonly string[]).includes(extname(out).toLowerCase())) return;
  throw new UsageError(`--out ${out}: end the name in ${FORMATS.join(', ')}, or with --on in / for parts`);
}

/**
 * A file of predictions that is written as they come, aside, and appears whole when it is finished. By the ending of
 * the name: `.csv` long (`sample_id,target`, grams, and a column for all else that was asked for), `.json` a list of
 * photos with grams and kg DM/ha, `.geojson` the same as points where the photo's EXIF has a position (null geometry
 * elsewhere).
 */
export class PredictionFile {
  readonly #out: string;
  readonly #file: GrowingFile;
  readonly #text: RowText;
  #isEmpty = true;

  private constructor(out: string, file: GrowingFile, text: RowText) {
    this.#out = out;
    this.#file = file;
    this.#text = text;
  }

  /** @throws InputError when the disk refuses */
  static async begin(out: string, options: PredictionFileOptions): Promise<PredictionFile> {
    const text = TEXTS[extname(out).toLowerCase() as keyof typeof TEXTS](options);
    await requireReplaceable(out);
    const file = await GrowingFile.open(out, out);
    try {
      await file.write(text.head);
      return new PredictionFile(out, file, text);
    } catch (error) {
      // A disk that is full takes the name, but nothing into it.
      await file.remove();
      throw error;
    }
  }

  /** @throws InputError when the disk refuses */
  async add(predictions: readonly PhotoPrediction[]): Promise<void> {
    if (predictions.length === 0) return;
    const rows = await this.#text.rows(predictions);
    await this.#file.write(this.#isEmpty ? rows : `${this.#text.between}${rows}`);
    this.#isEmpty = false;
  }

  /** Puts the file where it belongs. @throws InputError when the disk refuses */
  async finish(): Promise<void> {
    await this.#file.write(this.#text.end(this.#isEmpty));
    await this.#file.moveTo(this.#out);
  }

  /** Removes what was written so far. */
  abandon(): Promise<void> {
    return this.#file.remove();
  }
}

/** Tables of a data folder, which predictions must not take the place of. */
const TABLES = /^(train|test|test_truth|sample_submission)\.csv$/i;

/** Files of a run folder beside its results. */
const RUN_FILES = /^((run|pretrain|repeats)\.json|folds\.csv)$/;

/** Whether a run folder has a file of that name, in whatever case: some disks make no difference. */
function isRunFile(name: string): boolean {
  const lower = name.toLowerCase();
  return RUN_FILES.test(lower) || isResult(lower);
}

/**
 * Refuses a file that predictions would destroy: one of a run folder, or a table of a data folder, and whatever else sward
 * did not write, unless that may be overwritten.
 *
 * @throws UsageError naming it
 */
export async function requireFree(out: string, overwrite = false): Promise<void> {
  if (isRunFile(basename(out)) && (await isRunFolder(dirname(out)))) {
    throw new UsageError(`--out ${out} is a file of a run; choose another name`);
  }
  if (TABLES.test(basename(out)) && existsSync(out)) {
    throw new UsageError(`--out ${out} is a table of a data folder; choose another name`);
  }
  await requireOwnOutput('--out', out, 'predictions', overwrite);
}

/** How a format writes photos one after another. */
interface RowText {
  readonly head: string;
  readonly between: string;
  rows(predictions: readonly PhotoPrediction[]): string | Promise<string>;
  end(isEmpty: boolean): string;
}

const TEXTS: Readonly<Record<(typeof FORMATS)[number], (options: PredictionFileOptions) => RowText>> = {
  '.csv': (options) => ({ ...predictionText(columnsOf(options)), between: '', end: () => '' }),
  '.json': (options) => ({
    head: '[',
    between: ',',
    rows: (predictions) =>
      listed(
        predictions.map((prediction) => predictionRecord(prediction, options)),
        1,
      ),
    end: (isEmpty) => (isEmpty ? ']\n' : '\n]\n'),
  }),
  '.geojson': (options) => ({
    head: '{\n  "type": "FeatureCollection",\n  "features": [',
    between: ',',
    async rows(predictions) {
      const features = [];
      for (const prediction of predictions) features.push(await featureOf(prediction, options));
      return listed(features, 2);
    },
    end: (isEmpty) => (isEmpty ? ']\n}\n' : '\n  ]\n}\n'),
  }),
};

/** Items of a JSON list that lies `depth` levels deep, indented as `JSON.stringify(…, null, 2)` would. */
function listed(items: readonly unknown[], depth: number): string {
  const indent = '  '.repeat(depth);
  return items.map((item) => `\n${JSON.stringify(item, null, 2)}`.replaceAll('\n', `\n${indent}`)).join(',');
}

/** The further columns of a table of predictions. */
export function columnsOf({
  coverage,
  uncertainty,
  dropout,
  covariates,
  framing,
}: PredictionFileOptions): PredictionColumn<PhotoPrediction>[] {
  const columns: PredictionColumn<PhotoPrediction>[] = [];
  if (coverage !== undefined) {
    columns.push(
      { name: 'low', valueOf: ({ intervals }, target) => intervals?.[massOf(target)].low ?? null },
      { name: 'high', valueOf: ({ intervals }, target) => intervals?.[massOf(target)].high ?? null },
    );
  }
  if (uncertainty) {
    columns.push(
      { name: 'fold_spread', valueOf: ({ folds }, target) => spreadOf(folds)[massOf(target)] },
      { name: 'out_of_domain', valueOf: ({ outOfDomain }) => outOfDomain },
    );
  }
  if (dropout) {
    columns.push({
      name: 'dropout_spread',
      valueOf: ({ dropoutSpread }, target) => dropoutSpread?.[massOf(target)] ?? null,
    });
  }
  if (uncertainty) {
    columns.push({
      name: 'trained_on',
      valueOf: ({ trainedOn }) => (trainedOn === null ? null : Number(trainedOn)),
    });
  }
  if (covariates) columns.push({ name: 'covariates', valueOf: ({ covariates: used = [] }) => setName(used) });
  if (framing) columns.push({ name: 'framing', valueOf: (photo) => photo.framing ?? null });
  return columns;
}

/** The mass that a target of the competition is. */
const massOf = (target: TargetName): MassName => MASS_NAMES[TARGET_NAMES.indexOf(target)] as MassName;

async function featureOf(
  prediction: PhotoPrediction,
  options: PredictionFileOptions,
): Promise<Record<string, unknown>> {
  const { path } = prediction;
  const facts = path === null ? null : await readPhotoFacts(path);
  return {
    type: 'Feature',
    geometry: facts?.gps ? { type: 'Point', coordinates: [facts.gps.longitude, facts.gps.latitude] } : null,
    properties: {
      ...predictionRecord(prediction, options),
      ...(facts?.takenAt && { taken_at: facts.takenAt }),
    },
  };
}
