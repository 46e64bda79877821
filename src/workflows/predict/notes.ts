import { vouchedBy } from '../../farm/error-record.ts';
import { countOf, forCount } from '../../ground/counts.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { Run } from '../../runs/run.ts';
import type { PredictionDoubt } from '../../runs/uncertainty.ts';
import { FramesCount } from '../../vision/framing/frames-count.ts';

/*
 * What a person is told of predictions besides the numbers: the same words wherever they are made, and however many there are.
 */

/** Doubtful photos that are named. */
const DOUBTS_NAMED = 10;

/** That grams stand on another frame than the run was taught; null where they do not. */
export function frameNote(run: Run, areaSquareMetres: number): string | null {
  if (areaSquareMetres === run.areaSquareMetres) return null;
  return `note: the run was taught grams on ${run.areaSquareMetres} m²; they are said on ${areaSquareMetres} m², the same kg DM/ha`;
}

/** That intervals cannot promise more than sessions allow: the next one may be the worst of all. Null where they can. */
export function sessionsNote(sessions: number, coverage: number): string | null {
  const most = vouchedBy({ sessions });
  if (coverage <= most) return null;
  return (
    `note: the run was trained on ${sessions} sessions, which can vouch for ${(100 * most).toFixed(1)} % at most, ` +
    `not for ${Number((100 * coverage).toFixed(2))} %; the intervals are as wide as its largest errors`
  );
}

/**
 * That photos are the same file as others; null where none is.
 *
 * @param first by id, with the id of the one before
 * @param count of all
 */
export function copiesLine(first: readonly [string, string] | undefined, count: number): string | null {
  if (!first) return null;
  const [copy, of] = first;
  return count === 1
    ? `warning: ${copy} is the same photo as ${of}; the two count once in the mean`
    : `warning: ${count} photos are copies of others, ${copy} of ${of} for one; each photo counts once in the mean`;
}

/** That a run has seen photos before. @param seen how many of `photos` it was trained on, 1 or more */
export const trainedOnLine = (seen: number, photos: number): string =>
  `${seen} of ${countOf(photos, 'photo')} ${forCount(seen, 'is one', 'are ones')} the run was trained on: its answer ` +
  'there is memory, not prediction';

/** What is told of photos when all are predicted, gathered while they come; memory does not grow with them. */
export class PhotoNotes {
  readonly #frames = new FramesCount();
  readonly #doubts: string[] = [];
  #doubtful = 0;
  #photos = 0;
  #trainedOn = 0;

  /** @param doubts of these predictions */
  add(predictions: readonly PhotoPrediction[], doubts: readonly PredictionDoubt[]): void {
    for (const { imageId, framing, trainedOn } of predictions) {
      if (framing) this.#frames.add(imageId, framing);
      if (trainedOn) this.#trainedOn++;
    }
    this.#photos += predictions.length;
    this.#doubtful += doubts.length;
    for (const { message } of doubts.slice(0, DOUBTS_NAMED - this.#doubts.length)) this.#doubts.push(message);
  }

  lines(): string[] {
    const frames = this.#frames.line();
    const more = this.#doubtful - this.#doubts.length;
    return [
      ...(frames === null ? [] : [frames]),
      ...this.#doubts,
      ...(more > 0 ? [`${more} more like these, among ${this.#photos} photos in all`] : []),
      ...(this.#trainedOn === 0 ? [] : [trainedOnLine(this.#trainedOn, this.#photos)]),
    ].map((line) => `warning: ${line}`);
  }
}
