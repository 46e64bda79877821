import { ShapeError } from '../../ground/errors.ts';
import { drawBeta, type RandomStream } from '../../ground/random.ts';
import type { AugmentationSettings } from './settings.ts';

/** Normalised pictures of a batch; the views of one photo follow one another. */
export interface PictureBatch {
  /** [photos, views, 3, height, width] */
  readonly pictures: Float32Array;
  readonly photos: number;
  readonly views: number;
  readonly height: number;
  readonly width: number;
}

/** Which photo is mixed into which, and how much stays. */
export interface BatchMix {
  readonly kind: 'mixup' | 'cutmix';
  /** [photos]: the photo mixed into each; a permutation. */
  readonly partners: readonly number[];
  /** λ, share of each photo that stays; its partner has 1 − λ. For cutmix the share of the area. */
  readonly lambda: number;
}

interface MixedBatch {
  readonly pictures: Float32Array;
  readonly mix: BatchMix;
}

/**
 * Mixup (Zhang et al. 2018): every photo becomes λ of itself and 1 − λ of its partner, λ from Beta(α, α) once for
 * the batch. All views of a photo have the same partner and λ. Mix the targets with {@link mixTargets}.
 *
 * @throws ShapeError when the pictures do not have the sizes given
 */
export function mixupBatch(batch: PictureBatch, alpha: number, random: RandomStream): MixedBatch {
  requireSizes(batch);
  const lambda = drawBeta(random, alpha, alpha);
  const partners = drawPartners(batch.photos, random);
  return {
    pictures: mixed(batch.pictures, batch.photos, partners, lambda),
    mix: { kind: 'mixup', partners, lambda },
  };
}

/**
 * CutMix (Yun et al. 2019): a box of every photo is replaced by the same box of its partner. The box has the
 * picture's aspect, the share 1 − λ of its area with λ from Beta(α, α), and a middle drawn anywhere; what the
 * border cuts off is taken into account: the λ returned is the share of pixels that stayed. All views of
 * a photo have the same partner and box.
 *
 * @throws ShapeError when the pictures do not have the sizes given
 */
export function cutmixBatch(batch: PictureBatch, alpha: number, random: RandomStream): MixedBatch {
  requireSizes(batch);
  const { photos, views, height, width } = batch;
  const drawn = drawBeta(random, alpha, alpha);
  const partners = drawPartners(photos, random);
  const [left, right] = span(width, Math.sqrt(1 - drawn), random);
  const [top, bottom] = span(height, Math.sqrt(1 - drawn), random);
  const pictures = batch.pictures.slice();
  const planes = views * 3;
  for (let photo = 0; photo < photos; photo++) {
    const partner = partners[photo] as number;
    for (let plane = 0; plane < planes; plane++) {
      for (let y = top; y < bottom; y++) {
        const from = ((partner * planes + plane) * height + y) * width;
        const to = ((photo * planes + plane) * height + y) * width;
        pictures.set(batch.pictures.subarray(from + left, from + right), to + left);
      }
    }
  }
  const lambda = 1 - ((right - left) * (bottom - top)) / (width * height);
  return { pictures, mix: { kind: 'cutmix', partners, lambda } };
}

/**
 * With the settings' probability, mixup or cutmix with equal chance (or the one whose α is not 0).
 *
 * @returns the batch's own pictures and no mix where nothing was mixed
 * @throws ShapeError when the pictures do not have the sizes given
 */
export function mixBatch(
  batch: PictureBatch,
  { probability, mixupAlpha, cutmixAlpha }: AugmentationSettings['batch'],
  random: RandomStream,
): Partial<MixedBatch> & Pick<MixedBatch, 'pictures'> {
  requireSizes(batch);
  const isMixed = random.uniform() < probability;
  const byMixup = cutmixAlpha === 0 || (mixupAlpha > 0 && random.uniform() < 0.5);
  const alpha = byMixup ? mixupAlpha : cutmixAlpha;
  if (!isMixed || alpha === 0) return { pictures: batch.pictures };
  return byMixup ? mixupBatch(batch, alpha, random) : cutmixBatch(batch, alpha, random);
}

/**
 * Targets mixed as the pictures were: λ of a photo's own and 1 − λ of its partner's.
 *
 * @param targets [photos, width], any width
 */
export function mixTargets(targets: Float32Array, { partners, lambda }: BatchMix): Float32Array {
  return mixed(targets, partners.length, partners, lambda);
}

function mixed(
  values: Float32Array,
  rows: number,
  partners: readonly number[],
  lambda: number,
): Float32Array {
  const columns = values.length / rows;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const own = row * columns;
    const other = (partners[row] as number) * columns;
    for (let column = 0; column < columns; column++) {
      result[own + column] =
        lambda * (values[own + column] as number) + (1 - lambda) * (values[other + column] as number);
    }
  }
  return result;
}

function drawPartners(photos: number, random: RandomStream): number[] {
  return random.shuffled(Array.from({ length: photos }, (_, photo) => photo));
}

/** A stretch of `share` of a length about a middle drawn anywhere on it, cut at both ends. */
function span(length: number, share: number, random: RandomStream): [number, number] {
  const half = Math.floor(Math.floor(length * share) / 2);
  const middle = random.integer(length);
  return [Math.max(0, middle - half), Math.min(length, middle + half)];
}

function requireSizes({ pictures, photos, views, height, width }: PictureBatch): void {
  if (photos > 0 && pictures.length === photos * views * 3 * height * width) return;
  throw new ShapeError(
    `${pictures.length} values are not [${photos}, ${views}, 3, ${height}, ${width}] pictures`,
  );
}
