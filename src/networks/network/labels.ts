import { UsageError } from '../../ground/errors.ts';
import { type Targets, targetsToArray } from '../../pasture/targets.ts';
import type { PhotoAttributes } from '../../samples/samples.ts';
import { type Feed, input, type Tensor } from '../../tensor/index.ts';
import type { AttributeClasses } from './auxiliary.ts';
import { binEdges, binOf } from './bins.ts';
import type { AuxiliarySettings, LossSettings, TeacherSettings } from './settings.ts';

/** What is known of photos that a network learns from or is validated on. */
export interface LabelledPhotos {
  readonly targets: readonly Targets[];
  /** How much each counts; all alike where absent. */
  readonly weights?: readonly number[];
  readonly attributes?: readonly PhotoAttributes[];
  /** What a teacher says of each, grams; those that have none are told what was measured. */
  readonly taught?: readonly Targets[];
}

/** What of the settings decides which labels a network sees. */
export interface LabelSettings {
  readonly loss: LossSettings;
  readonly auxiliary: AuxiliarySettings;
  readonly teacher?: Pick<TeacherSettings, 'weight'> | undefined;
}

/** How labels are written as numbers, learnt on the training photos. */
export interface LabelCodec extends AttributeClasses {
  /** Ascending edges of each mass's intervals, grams; empty where there are no bins. */
  readonly edges: readonly (readonly number[])[];
  readonly ndvi: Scale | null;
  readonly height: Scale | null;
  /** Share of the teacher's word; 0 where photos are not taught. */
  readonly teaching: number;
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
  /** `[batch, 5]` grams, as the teacher says. */
  readonly taught?: Tensor;
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
 * Learns how to write labels as numbers.
 *
 * @throws UsageError when an auxiliary head is asked for and no photo says what it is to learn
 */
export function labelCodec(photos: LabelledPhotos, { loss, auxiliary, teacher }: LabelSettings): LabelCodec {
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
              masses.map((row) => row[mass] as number),
              loss.binCount,
            ),
          )
        : [],
    state: classes('state'),
    species: classes('species'),
    ndvi: scale('ndvi'),
    height: scale('height'),
    teaching: photos.taught ? (teacher?.weight ?? 0) : 0,
  };
}

/** The inputs of a graph that labels are fed to. */
export function labelInputs(batch: number, codec: LabelCodec): Labels {
  const shapes = Object.entries(labelWidths(codec));
  const fed = Object.fromEntries(
    shapes.map(([name, shape]) => [name, input(INPUT + name, [batch, ...shape])]),
  ) as Partial<Labels>;
  return {
    targets: input(`${INPUT}targets`, [batch, MASSES]),
    weights: input(`${INPUT}weights`, [batch, 1]),
    ...fed,
  };
}

/** Shape of a photo's part in each optional input. */
function labelWidths({
  edges,
  state,
  species,
  ndvi,
  height,
  teaching,
}: LabelCodec): Record<string, number[]> {
  return {
    ...(teaching > 0 && { taught: [MASSES] }),
    ...(edges.length > 0 && { bins: [MASSES, (edges[0]?.length ?? 0) + 1] }),
    ...(state.length > 0 && { state: [state.length] }),
    ...(species.length > 0 && { species: [species.length] }),
    ...(ndvi && { ndvi: [2] }),
    ...(height && { height: [2] }),
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
  const weights = Float32Array.from(rows, (photo, row) =>
    row < items.length ? (photos.weights?.[photo] ?? 1) : 0,
  );
  const attributeOf = (photo: number): PhotoAttributes | undefined => photos.attributes?.[photo];
  const { state, species, ndvi, height, edges, teaching } = codec;
  const taughtOf = (photo: number): Targets => (photos.taught?.[photo] ?? photos.targets[photo]) as Targets;
  return {
    [`${INPUT}targets`]: table((photo) => targetsToArray(photos.targets[photo] as Targets)),
    [`${INPUT}weights`]: weights,
    ...(teaching > 0 && { [`${INPUT}taught`]: table((photo) => targetsToArray(taughtOf(photo))) }),
    ...(edges.length > 0 && {
      [`${INPUT}bins`]: table((photo) => {
        const measured = intervals(photos.targets[photo] as Targets, edges);
        if (teaching === 0) return measured;
        const taught = intervals(taughtOf(photo), edges);
        // Cross entropy is linear in what it is held against: one term is both.
        return measured.map((own, at) => (1 - teaching) * own + teaching * (taught[at] as number));
      }),
    }),
    ...(state.length > 0 && {
      [`${INPUT}state`]: table((photo) => classOf(attributeOf(photo)?.state, state)),
    }),
    ...(species.length > 0 && {
      [`${INPUT}species`]: table((photo) => classOf(attributeOf(photo)?.species, species)),
    }),
    ...(ndvi && { [`${INPUT}ndvi`]: table((photo) => scaledValue(attributeOf(photo), 'ndvi', ndvi)) }),
    ...(height && {
      [`${INPUT}height`]: table((photo) => scaledValue(attributeOf(photo), 'height', height)),
    }),
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
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: variance > 0 ? Math.sqrt(variance) : 1 };
}

function scaledValue(
  photo: PhotoAttributes | undefined,
  name: 'ndvi' | 'height',
  scale: Scale,
): [number, number] {
  const value = measured(photo, name);
  return value === null ? [0, 0] : [(value - scale.mean) / scale.deviation, 1];
}

/** A class that training has not seen counts as unknown. */
function classOf(name: string | null | undefined, classes: readonly string[]): number[] {
  return oneHot(name ? classes.indexOf(name) : -1, classes.length);
}

/** Which interval each mass lies in, as probabilities one after another. */
function intervals(targets: Targets, edges: LabelCodec['edges']): number[] {
  return targetsToArray(targets).flatMap((mass, index) => {
    const own = edges[index] ?? [];
    return oneHot(binOf(mass, own), own.length + 1);
  });
}

const oneHot = (index: number, length: number): number[] =>
  Array.from({ length }, (_, at) => Number(at === index));
