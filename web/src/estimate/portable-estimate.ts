import { type Estimate, type PhotoRecord, type RunReference, saidOfPhoto } from '../../../src/farm/index.ts';
import { HEIGHT, type Readings } from '../../../src/pasture/covariates.ts';
import { onFrame } from '../../../src/runs/prediction.ts';
import type { Estimate as Answer } from '../engine/messages.ts';

/** What a run may read of a photo's record beside the photo: a height that was measured as its own were. */
export function readingsFor({ covariates }: Answer['by'], { height }: PhotoRecord): Readings {
  const reads = covariates.find(({ name }) => name === HEIGHT);
  return height && reads?.method === height.method ? { [HEIGHT]: height.centimetres } : {};
}

/**
 * What the engine says of a photo, as the farm keeps it: grams on the frame that the photo shows.
 *
 * @param run as the farm knows it
 */
export function estimateOf(
  answer: Answer,
  { id: photoId, frameAreaSquareMetres, height }: PhotoRecord,
  run: RunReference,
): Estimate {
  const { coverage, sessions, doubts, by } = answer;
  const prediction = onFrame(answer.prediction, frameAreaSquareMetres / by.areaSquareMetres);
  const { targets, intervals, outOfDomain, trainedOn } = prediction;
  return {
    id: crypto.randomUUID(),
    photoId,
    source: 'modelled',
    estimatedAt: new Date().toISOString(),
    ...saidOfPhoto({
      targets,
      intervals: intervals ?? null,
      coverage,
      sessions,
      frameAreaSquareMetres,
      outOfDomain: { share: outOfDomain, flagged: doubts.length > 0 },
      trainedOn,
      // A run that reads heights otherwise measured, or none, has answered by the photo alone.
      height: prediction.covariates?.includes(HEIGHT) ? height : null,
    }),
    run,
    engine: by.engine,
    precision: by.precision,
  };
}
