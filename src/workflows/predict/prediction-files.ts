import { extname } from 'node:path';
import { type PredictionColumn, writePredictions } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import {
  byMass,
  MASS_NAMES,
  type MassName,
  TARGET_NAMES,
  type TargetName,
  underTargetNames,
} from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import { type PhotoPrediction, spreadOf } from '../../runs/prediction.ts';
import { readPhotoFacts } from '../../vision/photos/index.ts';

const FORMATS = ['.csv', '.json', '.geojson'] as const;

/** What a file of predictions tells besides the masses. */
export interface PredictionFileOptions {
  /** Frame that the grams stand on. */
  readonly areaSquareMetres: number;
  /** Coverage of the intervals, where predictions have them. */
  readonly coverage?: number;
  /** Whether a CSV has columns for how much the fold models differ and how unlike the training photos a photo is. */
  readonly uncertainty?: boolean;
}

/**
 * Refuses a name whose ending is no format of predictions, before any work is done.
 *
 * @throws UsageError naming the formats
 */
export function requirePredictionFormat(out: string): void {
  if ((FORMATS as readonly string[]).includes(extname(out).toLowerCase())) return;
  throw new UsageError(`--out ${out}: end the name in ${FORMATS.join(', ')}`);
}

/**
 * Writes predictions by the ending of the name: `.csv` long (`sample_id,target`, grams, and a column for all else
 * that was asked for), `.json` a list of photos with grams and kg DM/ha, `.geojson` the same as points where the
 * photo's EXIF has a position (null geometry elsewhere).
 */
export async function writePredictionFile(
  out: string,
  predictions: readonly PhotoPrediction[],
  options: PredictionFileOptions,
): Promise<void> {
  const format = extname(out).toLowerCase();
  if (format === '.csv')
    return writePredictions(out, predictions, undefined, columnsOf(predictions, options));
  const records = predictions.map((prediction) => recordOf(prediction, options));
  const value = format === '.json' ? records : await featureCollection(predictions, records);
  await writeFileAtomically(out, `${JSON.stringify(value, null, 2)}\n`);
}

function columnsOf(
  predictions: readonly PhotoPrediction[],
  { uncertainty }: PredictionFileOptions,
): PredictionColumn<PhotoPrediction>[] {
  const columns: PredictionColumn<PhotoPrediction>[] = [];
  if (predictions.some(({ intervals }) => intervals !== null)) {
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
  if (predictions.some(({ dropoutSpread }) => dropoutSpread !== null)) {
    columns.push({
      name: 'dropout_spread',
      valueOf: ({ dropoutSpread }, target) => dropoutSpread?.[massOf(target)] ?? null,
    });
  }
  if (uncertainty && predictions.some(({ trainedOn }) => trainedOn !== null)) {
    columns.push({
      name: 'trained_on',
      valueOf: ({ trainedOn }) => (trainedOn === null ? null : Number(trainedOn)),
    });
  }
  return columns;
}

function recordOf(
  { imageId, path, targets, folds, dropoutSpread, intervals, outOfDomain, trainedOn }: PhotoPrediction,
  { areaSquareMetres, coverage, uncertainty }: PredictionFileOptions,
): Record<string, unknown> {
  const perHectare = (mass: MassName): number => gramsToKilogramsPerHectare(targets[mass], areaSquareMetres);
  return {
    image_id: imageId,
    ...(path !== null && { photo: path }),
    grams: underTargetNames(targets),
    kg_dm_per_ha: underTargetNames(byMass(perHectare)),
    ...(intervals && {
      coverage: coverage ?? null,
      low: underTargetNames(byMass((mass) => intervals[mass].low)),
      high: underTargetNames(byMass((mass) => intervals[mass].high)),
    }),
    ...(uncertainty && { fold_spread: underTargetNames(spreadOf(folds)) }),
    ...(dropoutSpread && { dropout_spread: underTargetNames(dropoutSpread) }),
    ...(outOfDomain !== null && { out_of_domain: outOfDomain }),
    ...(trainedOn !== null && { trained_on: trainedOn }),
  };
}

/** The mass that a target of the competition is. */
const massOf = (target: TargetName): MassName => MASS_NAMES[TARGET_NAMES.indexOf(target)] as MassName;

async function featureCollection(
  predictions: readonly PhotoPrediction[],
  records: readonly Record<string, unknown>[],
): Promise<Record<string, unknown>> {
  const features = [];
  for (const [index, { path }] of predictions.entries()) {
    const facts = path === null ? null : await readPhotoFacts(path);
    features.push({
      type: 'Feature',
      geometry: facts?.gps ? { type: 'Point', coordinates: [facts.gps.longitude, facts.gps.latitude] } : null,
      properties: { ...records[index], ...(facts?.takenAt && { taken_at: facts.takenAt }) },
    });
  }
  return { type: 'FeatureCollection', features };
}
