import { UsageError } from '../ground/errors.ts';
import { featureSetsOf, type Matrix, takeColumns, takeRows } from '../ground/matrix.ts';
import { type CovariateSet, knownSet, modelScale, type Readings, readingsOf } from '../pasture/covariates.ts';
import type { Targets } from '../pasture/targets.ts';
import type { Photo, PhotoContent, PhotoFile } from '../vision/photos/index.ts';

/** What is known of a photo besides its masses; null where the labels do not say. */
export interface PhotoAttributes {
  readonly state: string | null;
  readonly species: string | null;
  /** Pre-grazing NDVI. */
  readonly ndvi: number | null;
  readonly heightCentimetres: number | null;
  /** ISO date of sampling. */
  readonly date: string | null;
}

/** What is known of one sample: a photo, or a row of features made of one. */
export interface SampleFacts extends PhotoAttributes {
  readonly id: string;
  /** Photos of one visit, which err together. */
  readonly session: string;
  /** Photos that no fold may split. */
  readonly group: string;
  /** Whether the masses were measured; those a model said are trained on and never validated on. */
  readonly measured: boolean;
  /** How much the sample counts in fitting beside a measured one, which counts 1. */
  readonly weight: number;
  /** What a run's covariates read of it, in the run's units and by its methods; what was not measured is not there. */
  readonly readings: Readings;
}

/** The facts of a sample of which only the name is known. */
export function unknownSample(id: string): SampleFacts {
  return {
    id,
    session: id,
    group: id,
    measured: false,
    weight: 1,
    readings: {},
    state: null,
    species: null,
    ndvi: null,
    heightCentimetres: null,
    date: null,
  };
}

/** Where samples come from. */
export interface SampleSource {
  /** Null where there are rows of features alone. */
  readonly photos: readonly Photo[] | null;
  /**
   * One row a sample, made when it is asked for.
   *
   * @param turn how photos are turned, 0 to 7
   * @param firstSet the first of its feature sets that is wanted; default 0, all
   */
  features(turn: number, firstSet?: number): Promise<Matrix>;
}

/** Rows of features that are there already. */
export const featureRows = (matrix: Matrix): SampleSource => ({
  photos: null,
  features: async (_, firstSet = 0) => setsFrom(matrix, firstSet),
});

function setsFrom(matrix: Matrix, first: number): Matrix {
  if (first === 0) return matrix;
  const start = featureSetsOf(matrix)[first]?.start ?? matrix.columns;
  return takeColumns(
    matrix,
    Array.from({ length: matrix.columns - start }, (_, column) => start + column),
  );
}

/**
 * Photos to ask a model about, whose features it makes by itself.
 *
 * @param photos files, or contents, whose names are then the ids
 * @throws UsageError when two have one id
 */
export function photoSamples(photos: readonly (PhotoFile | PhotoContent)[]): Samples {
  const source: SampleSource = {
    photos: photos.map((photo) => ('path' in photo ? photo.path : photo)),
    features: () => {
      throw new RangeError('a run reads the features of photos itself');
    },
  };
  const ids = photos.map((photo) => ('path' in photo ? photo.imageId : photo.name));
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new UsageError(`two photos are called ${id}; give each a name of its own`);
    seen.add(id);
  }
  return new Samples(ids.map(unknownSample), source);
}

/** Rows of which nothing else is known, to ask a model about. */
export const plainSamples = (matrix: Matrix): Samples =>
  new Samples(
    Array.from({ length: matrix.rows }, (_, row) => unknownSample(String(row))),
    featureRows(matrix),
  );

/** Measured rows of which nothing is known but what groups them. */
export function measuredRows(
  inputs: Matrix,
  targets: readonly Targets[],
  groups: readonly string[],
): TrainingRows {
  return {
    inputs,
    targets,
    observed: targets,
    groups,
    measured: groups.map(() => true),
    weights: groups.map(() => 1),
    covariates: null,
  };
}

/** A source that makes the same features once. */
export function remembered({ photos, features }: SampleSource): SampleSource {
  const made = new Map<string, Promise<Matrix>>();
  return {
    photos,
    features(turn, firstSet = 0) {
      const key = `${turn} ${firstSet}`;
      const coming = made.get(key) ?? features(turn, firstSet);
      made.set(key, coming);
      return coming;
    },
  };
}

/** What a model is asked about: photos, or rows of features, whose pixels or columns are read on demand. */
export class Samples {
  readonly facts: readonly SampleFacts[];
  /** How photos are turned, 0 to 7: multiples of a quarter turn, mirrored from 4 on (see `ViewRecipe`). */
  readonly turn: number;
  /** The covariates that a model is shown of them; nothing unless {@link showing} says so. */
  readonly shown: CovariateSet;
  protected readonly source: SampleSource;

  constructor(facts: readonly SampleFacts[], source: SampleSource, turn = 0, shown: CovariateSet = []) {
    this.facts = facts;
    this.source = source;
    this.turn = turn;
    this.shown = shown;
  }

  get count(): number {
    return this.facts.length;
  }

  /** Whether there are photos, and not rows of features alone. */
  get hasPhotos(): boolean {
    return this.source.photos !== null;
  }

  /** @throws UsageError where there are rows of features alone */
  get photos(): readonly Photo[] {
    if (this.source.photos) return this.source.photos;
    throw new UsageError('this needs photos, and there are rows of features only');
  }

  /**
   * Features, one row a sample.
   *
   * @param firstSet the first of several feature sets that is wanted: those before it are not made
   * @throws InputError for a photo that cannot be used
   */
  features(firstSet = 0): Promise<Matrix> {
    return this.source.features(this.turn, firstSet);
  }

  /**
   * The covariates that are shown, one row a sample, on the scale that models read (`modelScale`); NaN where one was not
   * measured, null where none is shown.
   */
  get covariates(): Matrix | null {
    const { shown, facts } = this;
    if (shown.length === 0) return null;
    const data = Float64Array.from(
      facts.flatMap(({ readings }) => shown.map((name) => modelScale(name, readings[name] ?? Number.NaN))),
    );
    return { rows: facts.length, columns: shown.length, data };
  }

  /** Some of the samples, in the order of `items`. */
  take(items: readonly number[]): Samples {
    return new Samples(pick(this.facts, items), takenSource(this.source, items), this.turn, this.shown);
  }

  /** Samples of the same source of which something else is known. */
  withFacts(facts: readonly SampleFacts[]): Samples {
    return new Samples(facts, this.source, this.turn, this.shown);
  }

  /** The same samples, of which a model is shown some covariates. */
  showing(shown: CovariateSet): Samples {
    return new Samples(this.facts, this.source, this.turn, shown);
  }

  /** The same samples with what was measured beside them, one record each. */
  measuring(readings: readonly Readings[]): Samples {
    const facts = this.facts.map((own, item) => ({ ...own, readings: readings[item] ?? {} }));
    return new Samples(facts, this.source, this.turn, this.shown);
  }

  /** The same samples as if of each the first of some sets that it has all of were all that had been measured. */
  knownBy(sets: readonly CovariateSet[]): Samples {
    const facts = this.facts.map((own) => ({
      ...own,
      readings: readingsOf(own.readings, knownSet(sets, own.readings)),
    }));
    return new Samples(facts, this.source, this.turn, this.shown);
  }

  /** The same samples with other features, made of theirs. */
  withFeatures(change: (features: Matrix) => Matrix): Samples {
    return new Samples(this.facts, changedSource(this.source, change), this.turn, this.shown);
  }

  /** The same photos with features of another source. */
  withSource(source: SampleSource): Samples {
    return new Samples(this.facts, source, this.turn, this.shown);
  }

  /** The same samples with parts of their photos. @param photos one a sample */
  withPhotos(photos: readonly Photo[]): Samples {
    return new Samples(this.facts, { ...this.source, photos }, this.turn, this.shown);
  }

  /** The same photos turned. */
  turned(turn: number): Samples {
    return new Samples(this.facts, this.source, turn, this.shown);
  }
}

/** Training samples as estimators of tables take them. */
export interface TrainingRows {
  readonly inputs: Matrix;
  /** What is fitted to, grams. */
  readonly targets: readonly Targets[];
  /** What is scored by, grams: NaN where a mass was not measured, whatever is fitted to there. */
  readonly observed: readonly Targets[];
  /** What inner validation must not split. */
  readonly groups: readonly string[];
  readonly measured: readonly boolean[];
  readonly weights: readonly number[];
  /** As {@link Samples.covariates}. */
  readonly covariates: Matrix | null;
}

/**
 * Samples with their masses, grams; NaN where one was not measured, until `partlyMeasured` has completed what is fitted
 * to.
 */
export class TrainingSamples extends Samples {
  /** What is fitted to. */
  readonly targets: readonly Targets[];
  /** What is scored by, and what a loss may look at: NaN where a mass was not measured. */
  readonly observed: readonly Targets[];

  constructor(
    facts: readonly SampleFacts[],
    source: SampleSource,
    targets: readonly Targets[],
    turn = 0,
    observed: readonly Targets[] = targets,
    shown: CovariateSet = [],
  ) {
    super(facts, source, turn, shown);
    this.targets = targets;
    this.observed = observed;
  }

  get groups(): string[] {
    return this.facts.map(({ group }) => group);
  }

  get measured(): boolean[] {
    return this.facts.map(({ measured }) => measured);
  }

  get weights(): number[] {
    return this.facts.map(({ weight }) => weight);
  }

  /** Everything an estimator of tables is fitted to. @throws as {@link features} */
  async rows(): Promise<TrainingRows> {
    const { targets, observed, groups, measured, weights, covariates } = this;
    return { inputs: await this.features(), targets, observed, groups, measured, weights, covariates };
  }

  override take(items: readonly number[]): TrainingSamples {
    const source = takenSource(this.source, items);
    const targets = pick(this.targets, items);
    const observed = this.observed === this.targets ? targets : pick(this.observed, items);
    return new TrainingSamples(pick(this.facts, items), source, targets, this.turn, observed, this.shown);
  }

  override showing(shown: CovariateSet): TrainingSamples {
    return new TrainingSamples(this.facts, this.source, this.targets, this.turn, this.observed, shown);
  }

  override withFeatures(change: (features: Matrix) => Matrix): TrainingSamples {
    const source = changedSource(this.source, change);
    return new TrainingSamples(this.facts, source, this.targets, this.turn, this.observed, this.shown);
  }

  /**
   * The same samples with other masses.
   *
   * @param observed what is scored by, where that is not what is fitted to
   */
  withTargets(targets: readonly Targets[], observed: readonly Targets[] = targets): TrainingSamples {
    return new TrainingSamples(this.facts, this.source, targets, this.turn, observed, this.shown);
  }
}

/** Samples to train on, and those held out, which an estimator may be asked to choose its weights by. */
export interface Split {
  readonly train: TrainingSamples;
  readonly validation: TrainingSamples | null;
}

/** A split with both sides changed alike. */
export function changedSplit(
  { train, validation }: Split,
  change: (samples: TrainingSamples) => TrainingSamples,
): Split {
  return { train: change(train), validation: validation && change(validation) };
}

function pick<Value>(values: readonly Value[], items: readonly number[]): Value[] {
  return items.map((item) => values[item] as Value);
}

function takenSource(source: SampleSource, items: readonly number[]): SampleSource {
  return {
    photos: source.photos && pick(source.photos, items),
    features: async (turn, firstSet) => takeRows(await source.features(turn, firstSet), items),
  };
}

function changedSource(source: SampleSource, change: (features: Matrix) => Matrix): SampleSource {
  return remembered({
    photos: source.photos,
    features: async (turn, firstSet = 0) => setsFrom(change(await source.features(turn)), firstSet),
  });
}
