import { dirname, resolve } from 'node:path';
import { type PhotoMasses, readPredictions } from '../../data/predictions.ts';
import { realPlaceOf } from '../../ground/files.ts';
import { scaledMasses } from '../../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { frameAreaOf, readManifest } from '../../runs/manifest.ts';
import { isRunFolder } from '../../runs/run-folder.ts';

/** The frames that measured masses and predictions stand on, m². */
export interface ComparedFrames {
  readonly measured: number;
  readonly predicted: number;
}

/**
 * The frames of a file of measured masses and of one of predictions. Predictions in a run folder stand on the run's
 * frame, others on that of the measured masses. Those are on the run's frame, too, where they are what it was trained
 * on, or else on that of the competition.
 *
 * @param truth file of measured masses
 * @param given area that a person says the measured masses stand on
 * @param isOwnTable whether masses a hectare may be in it: it is then read on the run's frame
 * @throws InputError where the run's manifest is damaged
 */
export async function comparedFrames(
  truth: string,
  predictions: string,
  given: number | undefined,
  isOwnTable: boolean,
): Promise<ComparedFrames> {
  const run = dirname(predictions);
  const manifest = (await isRunFolder(run)) ? await readManifest(run) : null;
  if (manifest === null || manifest.kind === 'pretraining') {
    const area = given ?? QUADRAT_AREA_SQUARE_METRES;
    return { measured: area, predicted: area };
  }
  const predicted = frameAreaOf(manifest);
  if (given !== undefined || isOwnTable) return { measured: given ?? predicted, predicted };
  const { source } = manifest.data;
  // Folders and features have grams as they stand; a table may have been trained on beside the competition's.
  const isTrainedOn =
    source !== null &&
    (source.kind !== 'table' ||
      (await realPlaceOf(resolve(run, source.table))) === (await realPlaceOf(truth)));
  return { measured: isTrainedOn ? predicted : QUADRAT_AREA_SQUARE_METRES, predicted };
}

/** Predictions of a file on the frame of the measured masses. @throws as `readPredictions` */
export async function readAnswers(
  path: string,
  { measured, predicted }: ComparedFrames,
): Promise<PhotoMasses[]> {
  const answers = await readPredictions(path, { mayLack: true });
  return measured === predicted
    ? answers
    : answers.map(({ imageId, targets }) => ({
        imageId,
        targets: scaledMasses(targets, measured / predicted),
      }));
}
