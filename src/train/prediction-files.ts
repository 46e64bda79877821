import { extname } from 'node:path';
import { writePredictions } from '../data/predictions.ts';
import { UsageError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { TARGET_NAMES, type Targets, targetsToArray } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { readPhotoFacts } from '../vision/photos/index.ts';
import type { PhotoPrediction } from './photo-prediction.ts';

const FORMATS = ['.csv', '.json', '.geojson'] as const;

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
 * Writes predictions by the ending of the name: `.csv` long (`sample_id,target`, grams), `.json` a list of
 * photos with grams and kg DM/ha, `.geojson` the same as points where the photo's EXIF has a position (null
 * geometry elsewhere).
 *
 * @param areaSquareMetres frame that the grams stand on
 */
export async function writePredictionFile(
  out: string,
  predictions: readonly PhotoPrediction[],
  areaSquareMetres: number,
): Promise<void> {
  const format = extname(out).toLowerCase();
  if (format === '.csv') return writePredictions(out, predictions);
  const records = predictions.map((prediction) => recordOf(prediction, areaSquareMetres));
  const value = format === '.json' ? records : await featureCollection(predictions, records);
  await writeFileAtomically(out, `${JSON.stringify(value, null, 2)}\n`);
}

function recordOf({ imageId, path, targets }: PhotoPrediction, area: number): Record<string, unknown> {
  return {
    image_id: imageId,
    ...(path !== null && { photo: path }),
    grams: named(targets, (mass) => mass),
    kg_dm_per_ha: named(targets, (mass) => gramsToKilogramsPerHectare(mass, area)),
  };
}

function named(targets: Targets, convert: (mass: number) => number): Record<string, number> {
  const masses = targetsToArray(targets);
  return Object.fromEntries(TARGET_NAMES.map((name, index) => [name, convert(masses[index] ?? Number.NaN)]));
}

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
