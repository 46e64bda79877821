import sharp from 'sharp';
import { z } from 'zod';
import { randomStream } from '../../ground/random.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import {
  type AugmentationSettings,
  augmentationSettings,
  augmentPixels,
  changesPictures,
} from '../../vision/augment/index.ts';
import { decodePhoto, type Pixels } from '../../vision/photos/index.ts';
import { resample } from '../../vision/preprocess/resample.ts';
import { viewBoxes } from '../../vision/preprocess/views.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';

/** Photos on the sheet, and augmentations of each. */
const PHOTOS = 3;
const SAMPLES = 6;
/** Side of a view where the recipe leaves it to the weights. */
const USUAL_SIDE = 512;
/** Side of a sample on the page, pixels. */
const SHOWN_SIDE = 200;

const recipeWithAugmentation = z.looseObject({
  input: z.looseObject({ size: z.int().positive().nullable().optional() }).optional(),
  estimator: z.looseObject({ augmentation: augmentationSettings }),
});

/** What a run's recipe says of augmentation. */
interface SheetPlan {
  readonly settings: AugmentationSettings;
  /** Side of the views that training augments, pixels. */
  readonly side: number;
}

/** The augmentation of a recipe as resolved; undefined where it has none, or none that changes a picture. */
export function sheetPlan(recipe: unknown): SheetPlan | undefined {
  const parsed = recipeWithAugmentation.safeParse(recipe);
  if (!parsed.success) return undefined;
  const { augmentation } = parsed.data.estimator;
  if (!changesPictures(augmentation)) return undefined;
  return { settings: augmentation, side: parsed.data.input?.size ?? USUAL_SIDE };
}

/** Photos for the sheet: three spread evenly over those that have a file. */
export function sheetPhotos(rows: readonly OutOfFoldRow[]): string[] {
  const paths = rows.flatMap(({ photoPath }) => (photoPath === null ? [] : [photoPath]));
  const count = Math.min(PHOTOS, paths.length);
  return Array.from({ length: count }, (_, index) => paths[Math.floor((index * paths.length) / count)] ?? '');
}

/**
 * A sheet of augmented samples: the left half of each photo as it is and six times augmented as training does
 * at the size of its views, with what was applied under each. The same seed draws the same samples. Photos that
 * cannot be read are left out; null when none is left or the recipe augments nothing.
 */
export async function augmentationSection(results: RunResults): Promise<PageSection | null> {
  const plan = sheetPlan(results.settings);
  if (plan === undefined) return null;
  const { settings, side } = plan;
  const seed = Number(results.provenance.Seed ?? 0);
  const samples: Markup[] = [];
  let shown = 0;
  for (const [index, path] of sheetPhotos(results.rows).entries()) {
    const view = await leftHalf(path, side);
    if (view === undefined) continue;
    shown++;
    samples.push(await sample(view, ['as it is']));
    const random = randomStream(seed).fork(`augmentation sheet ${index}`);
    for (let drawn = 0; drawn < SAMPLES; drawn++) {
      const { pixels, applied } = augmentPixels(view, settings, random);
      samples.push(await sample(pixels, applied.length === 0 ? ['nothing drawn'] : applied));
    }
  }
  if (shown === 0) return null;
  return {
    id: 'augmentation',
    heading: 'Augmented samples',
    body: html`<p>What the network sees of ${shown === 1 ? 'one photo' : `${shown} photos`} in training: the left half as it is, then ${SAMPLES} times
augmented (preset ${settings.preset}, views of ${side} × ${side} pixels).</p>
<div class="samples">${samples}</div>`,
  };
}

async function leftHalf(path: string, side: number): Promise<Pixels | undefined> {
  try {
    const photo = await decodePhoto(path);
    const [left] = viewBoxes('halves', photo.width, photo.height);
    return left && resample(photo, left, { width: side, height: side }, 'bilinear');
  } catch {
    // A report of a run stays readable after the photos have moved; the worst photos say what is missing.
    return undefined;
  }
}

async function sample({ width, height, data }: Pixels, applied: readonly string[]): Promise<Markup> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: SHOWN_SIDE, height: SHOWN_SIDE, fit: 'fill' })
    .jpeg({ quality: 76 })
    .toBuffer();
  const text = applied.join('; ');
  return html`<figure class="sample"><img src="data:image/jpeg;base64,${jpeg.toString('base64')}" width="${SHOWN_SIDE}" height="${SHOWN_SIDE}" alt="${text}"><figcaption class="quiet">${text}</figcaption></figure>`;
}
