import { relative, resolve } from 'node:path';
import { writeCsv } from '../../formats/csv.ts';
import { InputError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import type { Progress } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import { mean, squaredDeviations } from '../../ground/statistics.ts';
import { classification } from '../../networks/objectives/classification.ts';
import type { LinearTask } from '../../networks/objectives/linear-head.ts';
import { type MeasuredColumn, regression } from '../../networks/objectives/regression.ts';
import type { PretrainSettings } from '../../networks/settings/pretrain.ts';
import type { PretrainingManifest } from '../../runs/manifest.ts';
import { checkedPhotos } from './checked-photos.ts';
import type { ClassPhotos } from './class-folders.ts';
import { heldOutPhotos } from './holdout.ts';
import type { MeasuredPhotos } from './photo-table.ts';
import { type PretrainingPhotos, readPretrainingPhotos } from './pretrain-photos.ts';

/** Photos ready to be trained on. */
export interface PretrainData {
  readonly paths: readonly string[];
  readonly task: LinearTask;
  /** Places of the photos to train on, and of those that only validate. */
  readonly train: readonly number[];
  readonly validation: readonly number[];
  /** What the manifest says of them. */
  readonly facts: PretrainingManifest['photos'];
  /** Writes the list of photos: name, label, whether held out, SHA-256. */
  writeList(path: string): Promise<void>;
}

/**
 * Reads and decodes all photos, and decides which are held out.
 *
 * @param source folder or table
 * @param out folder that will remember where they were
 * @throws InputError for photos or labels that cannot be used
 * @throws UsageError when none can be held out
 */
export async function readPretrainData(
  source: string,
  out: string,
  settings: PretrainSettings,
  seed: number,
  progress: Progress,
): Promise<PretrainData> {
  const photos = await readPretrainingPhotos(source, settings.columns, (line) => progress.line?.(line));
  const held = heldOutPhotos(photos, settings.holdout.share, randomStream(seed).fork('holdout'));
  const places = held.map((_, place) => place);
  const train = places.filter((place) => !held[place]);
  const validation = places.filter((place) => held[place]);
  const { task, labels } = taskOf(source, photos, train, validation, settings);
  const paths = photos.photos.map(({ path }) => path);
  const hashes = await checkedPhotos(paths, progress);
  const rows = photos.photos.map((photo, place) => [
    photo.name,
    ...labelCells(photos, place),
    held[place] ? 1 : 0,
    hashes[place] as string,
  ]);
  const titles = photos.kind === 'classes' ? ['class'] : [...photos.columns];
  return {
    paths,
    task,
    train,
    validation,
    facts: {
      source: relative(resolve(out), resolve(source)).replaceAll('\\', '/'),
      count: paths.length,
      held_out: validation.length,
      fingerprint: valueFingerprint([photos.kind, titles, rows]),
      labels,
    },
    writeList: (path) => writeCsv(path, ['photo', ...titles, 'held_out', 'sha256'], rows),
  };
}

function labelCells(photos: PretrainingPhotos, place: number): (string | number)[] {
  if (photos.kind === 'columns') return (photos.photos[place]?.values ?? []).map((value) => value ?? '');
  return [photos.classes[photos.photos[place]?.classIndex ?? -1] ?? ''];
}

interface Task {
  readonly task: LinearTask;
  readonly labels: PretrainingManifest['photos']['labels'];
}

function taskOf(
  source: string,
  photos: PretrainingPhotos,
  train: readonly number[],
  validation: readonly number[],
  { estimator }: PretrainSettings,
): Task {
  return photos.kind === 'classes'
    ? classTask(photos, validation, estimator.loss)
    : columnTask(source, photos, train, validation, estimator.loss);
}

function classTask(
  { classes, photos }: ClassPhotos,
  validation: readonly number[],
  loss: PretrainSettings['estimator']['loss'],
): Task {
  const classOf = photos.map(({ classIndex }) => classIndex);
  const counts = countsOf(classOf, classes.length);
  const heldOut = countsOf(
    validation.map((place) => classOf[place] as number),
    classes.length,
  );
  return {
    task: classification(classOf, classes.length, loss),
    labels: {
      kind: 'classes',
      classes: classes.map((name, index) => ({
        name,
        photos: counts[index] as number,
        held_out: heldOut[index] as number,
      })),
    },
  };
}

function columnTask(
  source: string,
  { columns, photos, leftOut }: MeasuredPhotos,
  train: readonly number[],
  validation: readonly number[],
  loss: PretrainSettings['estimator']['loss'],
): Task {
  const known = (places: readonly number[], column: number): number[] =>
    places.flatMap((place) => photos[place]?.values[column] ?? []);
  const scales = columns.map((name, column) => scaleOf(source, name, known(train, column)));
  return {
    task: regression(
      photos.map(({ values }) => values),
      scales,
      loss,
    ),
    labels: {
      kind: 'columns',
      columns: scales.map((scale, column) => ({
        ...scale,
        photos: known([...train, ...validation], column).length,
        held_out: known(validation, column).length,
      })),
      left_out: { columns: [...leftOut.columns], photos: leftOut.photos },
    },
  };
}

/** @throws InputError for a column in which the photos to learn from do not differ */
function scaleOf(source: string, name: string, values: readonly number[]): MeasuredColumn {
  const centre = mean(values);
  const variance = squaredDeviations(values, centre) / values.length;
  if (variance > 0) return { name, mean: centre, deviation: Math.sqrt(variance) };
  throw new InputError(
    source,
    `the photos to learn from do not differ in ${name}`,
    'take the column away, or name the others with --set columns=…',
  );
}

function countsOf(members: readonly number[], groups: number): number[] {
  const counts = new Array<number>(groups).fill(0);
  for (const member of members) counts[member] = (counts[member] ?? 0) + 1;
  return counts;
}
