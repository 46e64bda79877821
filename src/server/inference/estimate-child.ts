import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { z } from 'zod';
import { readNumber } from '../../data/numbers.ts';
import { FrameArea, SwardHeight, saidOfPhoto } from '../../farm/index.ts';
import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { configure } from '../../ground/environment.ts';
import { InputError, messageOf, UsageError } from '../../ground/errors.ts';
import { HEIGHT } from '../../pasture/covariates.ts';
import { openRun } from '../../runs/open-run.ts';
import type { Run } from '../../runs/run.ts';
import { photoSamples } from '../../samples/samples.ts';
import { heatMap } from '../../vision/biomass-map/index.ts';
import { framedPhotos } from '../../vision/framing/index.ts';
import { FORMAT_BYTES, formatOf } from '../../vision/photos/format.ts';
import {
  findPhotos,
  hashPhoto,
  inspectPhoto,
  photoFrom,
  type WholePhoto,
} from '../../vision/photos/index.ts';
import { predictRun, USUAL_COVERAGE } from '../../workflows/index.ts';
import { askedHeight, withAskedReadings } from '../../workflows/predict/asked-readings.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { RunUnusable } from './run-unusable.ts';
import type { AskedFacts, DrawnMap, InferenceAnswers, InferenceTask, InspectedPhoto } from './tasks.ts';
import { trialPicture } from './trial-picture.ts';

/** Runs that stay open: that of the farm, and that of a job. */
const OPEN_RUNS = 2;

/** A process of the pool: decodes photos and asks runs, one photo at a time, on one thread. */
sharp.concurrency(1);

const runs = new Map<string, Run>();

/** An open run; of several the one asked longest ago is closed. */
async function opened(folder: string): Promise<Run> {
  const known = runs.get(folder);
  const run =
    known ??
    (await openRun(folder).catch((error: unknown) => {
      throw new RunUnusable(messageOf(error));
    }));
  runs.delete(folder);
  runs.set(folder, run);
  for (const [oldest, other] of [...runs].slice(0, -OPEN_RUNS)) {
    runs.delete(oldest);
    await other.dispose();
  }
  return run;
}

/** A photo's file, which what is no photo that sward reads never becomes. @throws InputError */
async function photoFile(path: string): Promise<WholePhoto> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FORMAT_BYTES), 0, FORMAT_BYTES, 0);
    requireFormat(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
  return path;
}

/** A number of a form, as text. Empty text is no number, where JavaScript has it be 0. */
const TextNumber = z
  .string()
  .trim()
  .min(1, 'is empty; give a number or leave it out')
  .transform((text) => readNumber(text))
  .pipe(z.number('is no number; write it as 0.25'));

/** What forms say besides the photo. */
const FormFacts = z.object({
  frameAreaSquareMetres: TextNumber.pipe(FrameArea).optional(),
  height: z.string().optional(),
  heightMethod: SwardHeight.shape.method.optional(),
});

/** The photo of a form, and what else the form says of it. @throws InputError */
async function photoOfForm(
  path: string,
  contentType: string,
): Promise<{ photo: WholePhoto; facts: AskedFacts }> {
  const form = await new Response(Readable.toWeb(createReadStream(path)) as ReadableStream, {
    headers: { 'content-type': contentType },
  })
    .formData()
    .catch(() => {
      throw new InputError(
        'the request',
        'its form cannot be read',
        'send multipart/form-data with a field photo',
      );
    });
  const twice = ['photo', ...Object.keys(FormFacts.shape)].find((name) => form.getAll(name).length > 1);
  if (twice !== undefined) {
    throw new InputError('the request', `has field ${twice} more than once`, 'send each field once');
  }
  const { photo, ...fields } = Object.fromEntries(form);
  if (photo === undefined || typeof photo === 'string') {
    throw new InputError(
      'the request',
      'has no file in its field photo',
      'send the photo as the file of field photo',
    );
  }
  const parsed = FormFacts.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      'the request',
      `${issue?.path.join('.')}: ${issue?.message}`,
      'give height in cm with heightMethod, and the frame in m²',
    );
  }
  const { frameAreaSquareMetres } = parsed.data;
  const facts = { frameAreaSquareMetres, height: heightOfForm(parsed.data) };
  const bytes = new Uint8Array(await photo.arrayBuffer());
  requireFormat(bytes);
  return { photo: photoFrom('photo', bytes), facts };
}

/** The height that a form gives. @throws InputError for one without a method, or that no sward has */
function heightOfForm({ height, heightMethod }: z.output<typeof FormFacts>): SwardHeight | null {
  if (height === undefined && heightMethod === undefined) return null;
  if (height === undefined || heightMethod === undefined) {
    const [there, missing] = height === undefined ? ['heightMethod', 'height'] : ['height', 'heightMethod'];
    throw new InputError('the request', `has ${there} and no ${missing}`, 'give both or neither');
  }
  const remedy = 'give it in cm, as 12.5, or leave out height and heightMethod';
  if (height.trim() === '') throw new InputError('the request', 'height is empty', remedy);
  try {
    const { value, method = heightMethod } = askedHeight(height);
    if (method === heightMethod) return { centimetres: value, method };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new InputError('the request', error.message, remedy);
  }
  throw new InputError(
    'the request',
    `height ${height} is that of a rising plate, not of heightMethod ${heightMethod}`,
    remedy,
  );
}

function requireFormat(start: Uint8Array): void {
  if (formatOf(start) !== null) return;
  throw new InputError('photo', 'is no photo', 'send a JPEG, PNG, WebP, TIFF, HEIC, AVIF or BMP file');
}

/** Options by which what is known of a photo reaches the run: the one place where covariates come in. */
function askedWith(run: Run, { frameAreaSquareMetres, height }: AskedFacts) {
  const readsHeight = run.covariates.some(({ name }) => name === HEIGHT);
  return {
    ...(frameAreaSquareMetres !== undefined && { areaSquareMetres: frameAreaSquareMetres }),
    ...(height &&
      readsHeight && { covariates: { values: { [HEIGHT]: height.centimetres }, method: height.method } }),
  };
}

async function estimate(
  run: Run,
  photo: WholePhoto,
  facts: AskedFacts,
): Promise<InferenceAnswers['estimate']> {
  const { predictions, coverage, sessions, doubts, areaSquareMetres } = await predictRun({
    run,
    source: [photo],
    coverage: USUAL_COVERAGE,
    ...askedWith(run, facts),
  });
  const [prediction] = predictions;
  if (!prediction) throw new Error('a photo was asked about and none answered');
  const { targets, intervals, outOfDomain, trainedOn, covariates = [] } = prediction;
  const reads = run.covariates.some(({ name }) => name === HEIGHT);
  const why = reads ? prediction.refused : `run ${basename(run.folder)} reads no height`;
  const said = saidOfPhoto({
    targets,
    intervals: intervals ?? null,
    coverage,
    sessions,
    frameAreaSquareMetres: areaSquareMetres,
    outOfDomain: { share: outOfDomain, flagged: doubts.length > 0 },
    trainedOn,
    // A run that reads heights otherwise measured, or none, has answered by the photo alone.
    height: covariates.includes(HEIGHT) ? (facts.height ?? null) : null,
  });
  return { ...said, ...(facts.height && why !== undefined && { refused: why }) };
}

async function drawMap(run: Run, photo: WholePhoto, facts: AskedFacts): Promise<DrawnMap> {
  const { covariates } = askedWith(run, facts);
  const { samples } = await withAskedReadings(run, photoSamples(await findPhotos([photo])), covariates);
  const [map] = await run.maps(samples);
  const [framed] = await framedPhotos(samples.photos, run.crop);
  if (!map || !framed) throw new Error('a photo was mapped and no map came');
  const { png, scaleTop } = await heatMap(framed, map, run.areaSquareMetres);
  return { png: png.toString('base64'), scaleTop };
}

async function inspect(photo: WholePhoto): Promise<InspectedPhoto> {
  const { bytes, hash } = await hashPhoto(photo);
  const { width, height, takenAt, gps } = await inspectPhoto(photo);
  const format = formatOf(bytes);
  if (format === null) throw new Error('a photo was let in that is none');
  return {
    sha256: hash,
    bytes: bytes.length,
    mediaType: MEDIA_TYPES[format],
    width,
    height,
    cameraTime: takenAt?.toISOString() ?? null,
    cameraPosition: gps ?? null,
  };
}

serveTasks<InferenceTask, unknown>(async (task) => {
  if (task.kind === 'inspect') return inspect(await photoFile(task.path));
  configure({ cacheFolder: task.cache, threads: 1, rememberPhotos: false });
  const run = await opened(task.run);
  if (task.kind === 'open') {
    // What is loaded with the first photo is loaded now.
    await estimate(run, await trialPicture(), {});
    return { maps: (await run.capabilities()).maps };
  }
  if (task.kind === 'map') return drawMap(run, await photoFile(task.path), task.facts);
  const { photo: asked } = task;
  if (asked.kind === 'file') return estimate(run, await photoFile(asked.path), task.facts);
  const { photo, facts } = await photoOfForm(asked.path, asked.contentType);
  return estimate(run, photo, facts);
});
