import { mean, quantileSorted } from 'd3-array';
import { UsageError } from '../../ground/errors.ts';
import { isComplete } from '../../pasture/partial.ts';
import { type Targets, targetsToArray } from '../../pasture/targets.ts';
import type { PhotoAttributes } from '../../samples/samples.ts';
import { type Feed, input, type Tensor } from '../../tensor/index.ts';
import type { AttributeClasses, AuxiliaryLoss, AuxiliarySettings } from './auxiliary.ts';

/** What is known of photos that a network is trained or validated on. */
export interface LabelledPhotos {
  /** Grams; NaN where a mass was not measured. */
  readonly targets: readonly Targets[];
  /** What validation scores by, where it is not what is trained for. */
  readonly observed?: readonly Targets[];
  /** How much each counts; all alike where absent. */
  readonly weights?: readonly number[];
  readonly attributes?: readonly PhotoAttributes[];
  /** What a teacher predicts of each, grams; where there is none, what was measured. */
  readonly teacherMasses?: readonly Targets[];
}

/** What of the settings decides which labels a network sees. */
export interface LabelSettings {
  readonly loss: AuxiliaryLoss;
  readonly auxiliary: AuxiliarySettings;
  readonly teacher?: { readonly weight: number } | undefined;
}

/** How labels are written as numbers, found on the training photos. */
export interface LabelCodec extends AttributeClasses {
  /** Ascending edges of each mass's intervals, grams; empty where there are no bins. */
  readonly edges: readonly (readonly number[])[];
  readonly ndvi: Scale | null;
  readonly height: Scale | null;
  /** Share of the teacher's predictions; 0 where there is no teacher. */
  readonly teacherShare: number;
  /** Whether masses of some photos were not measured, over which the loss passes. */
  readonly hasGaps: boolean;
}

interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** Labels of a batch. Every row of probabilities sums to 1, or to 0 where nothing is known. */
export interface Labels {
  /** `[batch, 5]` grams. */
  readonly targets: Tensor;
  /** `[batch, 1]`, 0 for rows that only fill the batch. */
  readonly weights: Tensor;
  /** `[batch, 5]`: 1 where the mass was measured, 0 where not; absent where all were. */
  readonly known?: Tensor;
  /** `[batch, 5]` grams, as the teacher predicts. */
  readonly teacherMasses?: Tensor;
  /** `[batch, 5, bins]` probabilities; of the teacher's intervals too, by its share. */
  readonly bins?: Tensor;
  /** `[batch, States]` probabilities. */
  readonly state?: Tensor;
  /** `[batch, species]` probabilities. */
  readonly species?: Tensor;
  /** `[batch, 2]`: value in deviations, and 1 where it is known. */
  readonly ndvi?: Tensor;
  /** `[batch, 2]`: value in deviations, and 1 where it is known. */
  readonly height?: Tensor;
}

const MASSES = 5;
const INPUT = 'label.';

/**
 * Finds on training photos how labels are written as numbers.
 *
 * @param hasGaps whether masses of photos that will be trained or validated on were not measured
 *
 * @throws UsageError when an auxiliary head is asked for and no photo has a label for it
 */
export function labelCodec(
  photos: LabelledPhotos,
  { loss, auxiliary, teacher }: LabelSettings,
  hasGaps: boolean = !photos.targets.every(isComplete),
): LabelCodec {
  const attributes = photos.attributes ?? [];
  const classes = (name: 'state' | 'species'): string[] => {
    if (auxiliary[name] === 0) return [];
    const known = attributes.map((photo) => photo[name]).filter((value) => value !== null);
    if (known.length === 0) throw unknownAttribute(name);
    return [...new Set(known)].sort();
  };
  const scale = (name: 'ndvi' | 'height'): Scale | null => {
    if (auxiliary[name] === 0) return null;
    const known = attributes.map((photo) => measured(photo, name)).filter((value) => value !== null);
    if (known.length === 0) throw unknownAttribute(name);
    return scaleOf(known);
  };
  const masses = photos.targets.map(targetsToArray);
  return {
    edges:
      loss.bins > 0
        ? Array.from({ length: MASSES }, (_, mass) =>
            binEdges(
              masses.map((row) => row[mass] as number).filter((grams) => !Number.isNaN(grams)),
              loss.binCount,
            ),
          )
        : [],
    state: classes('state'),
    species: classes('species'),
    ndvi: scale('ndvi'),
    height: scale('height'),
    teacherShare: photos.teacherMasses ? (teacher?.weight ?? 0) : 0,
    hasGaps,
  };
}

/** A label beside masses and weights: the shape of a photo's part in it, and its values. */
interface FurtherLabel {
  readonly shape: readonly number[];
  readonly of: (photos: LabelledPhotos, photo: number) => readonly number[];
}

/** The labels there are beside masses and weights, by name. */
function furtherLabels(codec: LabelCodec): Record<string, FurtherLabel> {
  const { edges, state, species, ndvi, height, teacherShare, hasGaps } = codec;
  const teacherMassesOf = (photos: LabelledPhotos, photo: number): Targets =>
    (photos.teacherMasses?.[photo] ?? photos.targets[photo]) as Targets;
  return {
    ...(hasGaps && {
      known: {
        shape: [MASSES],
        of: ({ targets }, photo) =>
          targetsToArray(targets[photo] as Targets).map((mass) => +!Number.isNaN(mass)),
      },
    }),
    ...(teacherShare > 0 && {
      teacherMasses: {
        shape: [MASSES],
        of: (photos, photo) =>
          targetsToArray(teacherMassesOf(photos, photo)).map((mass) => (Number.isNaN(mass) ? 0 : mass)),
      },
    }),
    ...(edges.length > 0 && {
      bins: {
        shape: [MASSES, (edges[0]?.length ?? 0) + 1],
        of(photos, photo) {
          const own = intervals(photos.targets[photo] as Targets, edges);
          if (teacherShare === 0) return own;
          const teacherMasses = intervals(teacherMassesOf(photos, photo), edges);
          // Cross entropy is linear in what it is held against: one term is both.
          return own.map(
            (share, at) => (1 - teacherShare) * share + teacherShare * (teacherMasses[at] as number),
          );
        },
      },
    }),
    ...(state.length > 0 && { state: classLabel('state', state) }),
    ...(species.length > 0 && { species: classLabel('species', species) }),
    ...(ndvi && { ndvi: readingLabel('ndvi', ndvi) }),
    ...(height && { height: readingLabel('height', height) }),
  };
}

/** The inputs of a graph that labels are fed to. */
export function labelInputs(batch: number, codec: LabelCodec): Labels {
  const further = Object.entries(furtherLabels(codec)).map(([name, { shape }]) => [
    name,
    input(INPUT + name, [batch, ...shape]),
  ]);
  return {
    targets: input(`${INPUT}targets`, [batch, MASSES]),
    weights: input(`${INPUT}weights`, [batch, 1]),
    ...(Object.fromEntries(further) as Partial<Labels>),
  };
}

/**
 * What {@link labelInputs} are fed for some photos. Rows beyond them repeat the last photo with weight 0.
 *
 * @param items at least one and at most `batch`
 */
export function labelFeeds(
  photos: LabelledPhotos,
  items: readonly number[],
  batch: number,
  codec: LabelCodec,
): Record<string, Feed> {
  const rows = filled(items, batch);
  const table = (of: (photo: number) => readonly number[]): Float32Array =>
    Float32Array.from(rows.flatMap((photo) => [...of(photo)]));
  const weightOf = (photo: number, row: number): number =>
    row < items.length ? (photos.weights?.[photo] ?? 1) : 0;
  const further = Object.entries(furtherLabels(codec)).map(([name, { of }]) => [
    INPUT + name,
    table((photo) => of(photos, photo)),
  ]);
  return {
    // What is not known has no part in the loss, but must be a number.
    [`${INPUT}targets`]: table((photo) =>
      targetsToArray(photos.targets[photo] as Targets).map((mass) => (Number.isNaN(mass) ? 0 : mass)),
    ),
    [`${INPUT}weights`]: Float32Array.from(rows, weightOf),
    ...Object.fromEntries(further),
  };
}

/** Items of a batch with the last one repeated until it is full. */
export function filled(items: readonly number[], batch: number): number[] {
  return Array.from({ length: batch }, (_, row) => items[Math.min(row, items.length - 1)] as number);
}

function unknownAttribute(name: string): UsageError {
  return new UsageError(
    `no label says the ${name} of a photo; leave estimator.auxiliary.${name} at 0 or add it to train.csv`,
  );
}

function measured(photo: PhotoAttributes | undefined, name: 'ndvi' | 'height'): number | null {
  return (name === 'ndvi' ? photo?.ndvi : photo?.heightCentimetres) ?? null;
}

function scaleOf(values: readonly number[]): Scale {
  const centre = mean(values) ?? Number.NaN;
  const variance = mean(values, (value) => (value - centre) ** 2) ?? Number.NaN;
  return { mean: centre, deviation: variance > 0 ? Math.sqrt(variance) : 1 };
}

/** A reading in deviations, and 1 where it is known. */
const readingLabel = (name: 'ndvi' | 'height', { mean: centre, deviation }: Scale): FurtherLabel => ({
  shape: [2],
  of(photos, photo) {
    const value = measured(photos.attributes?.[photo], name);
    return value === null ? [0, 0] : [(value - centre) / deviation, 1];
  },
});

/** Which class a photo is of; one that training has not seen counts as unknown. */
const classLabel = (name: 'state' | 'species', classes: readonly string[]): FurtherLabel => ({
  shape: [classes.length],
  of(photos, photo) {
    const own = photos.attributes?.[photo]?.[name];
    return oneHot(own ? classes.indexOf(own) : -1, classes.length);
  },
});

/** Which interval each mass lies in, as probabilities one after another. */
function intervals(targets: Targets, edges: LabelCodec['edges']): number[] {
  return targetsToArray(targets).flatMap((mass, index) => {
    const own = edges[index] ?? [];
    return oneHot(Number.isNaN(mass) ? -1 : binOf(mass, own), own.length + 1);
  });
}

const oneHot = (index: number, length: number): number[] =>
  Array.from({ length }, (_, at) => Number(at === index));

/**
 * Edges of intervals that hold about as many of the values each: the quantiles k/bins. Repeated values (photos
 * without clover) may leave an interval empty.
 *
 * @returns `bins − 1` ascending edges; interval k holds edge k−1 ≤ value < edge k
 */
export function binEdges(values: readonly number[], bins: number): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: bins - 1 }, (_, index) => quantileSorted(sorted, (index + 1) / bins) ?? 0);
}

/** The interval a value lies in, from 0. */
export function binOf(value: number, edges: readonly number[]): number {
  const above = edges.findIndex((edge) => value < edge);
  return above < 0 ? edges.length : above;
}
