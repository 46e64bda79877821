/** The sward's height, in centimetres. */
export const HEIGHT = 'height';
/** Reflectance index of the sward, as a GreenSeeker reads it. */
export const NDVI = 'ndvi';

/**
 * How a height was measured. A plate presses the sward down, each kind by its own weight; a ruler reads it as it stands,
 * which is higher: none of them is another.
 */
export const HEIGHT_METHODS = ['falling-plate', 'rising-plate', 'ruler'] as const;
/** One of {@link HEIGHT_METHODS}. */
export type HeightMethod = (typeof HEIGHT_METHODS)[number];

/** Heights that are measured so, cm: plates press a sward down, and lie on the ground where none stands. */
export const HEIGHT_LIMITS: Readonly<Record<HeightMethod, readonly [least: number, most: number]>> = {
  'falling-plate': [0.5, 100],
  'rising-plate': [0.5, 100],
  ruler: [0.5, 300],
};

/** Height of pasture that nobody sees surpassed, cm: no height above it is taken, wherever it comes from. */
export const TALLEST_SWARD: number = HEIGHT_LIMITS.ruler[1];

/** A method in words. */
export const methodWords = (method: HeightMethod | null): string =>
  method === null ? 'an unstated method' : method.replace('-', ' ');

/** Units that heights come in, in centimetres; a click is that of a rising plate's counter. */
export const HEIGHT_UNITS = { cm: 1, mm: 0.1, m: 100, clicks: 0.5 } as const;
/** One of {@link HEIGHT_UNITS}. */
export type HeightUnit = keyof typeof HEIGHT_UNITS;

/** A number that is measured beside a photo, as a run knows it. */
export interface Covariate {
  /** `height`, `ndvi`, or the header of any other column. */
  readonly name: string;
  /** `cm` of heights; null: it has none, or nobody said. */
  readonly unit: string | null;
  /** Of heights; null: nobody said. */
  readonly method: HeightMethod | null;
}

/** What was measured beside a photo, by the covariate's name, in its unit. */
export type Readings = Readonly<Record<string, number>>;

/** Names of covariates that a model reads together, in the run's order. */
export type CovariateSet = readonly string[];

/** At most so many covariates has a run: it has a model for every set of them. */
export const MOST_COVARIATES = 3;

/** All sets of covariates but the empty one, the largest first; sets of one size in the order of their names. */
export function covariateSets(names: CovariateSet): CovariateSet[] {
  const masks = Array.from({ length: 2 ** names.length - 1 }, (_, index) => index + 1);
  const sets = masks.map((mask) => names.filter((_, place) => (mask >> place) % 2 === 1));
  return sets.sort((a, b) => b.length - a.length);
}

/** Whether a sample has every reading of a set. */
export const hasReadings = (readings: Readings, set: CovariateSet): boolean =>
  set.every((name) => Number.isFinite(readings[name]));

/** The first of some sets of which a sample has every reading; the empty one where there is none. */
export const knownSet = (sets: readonly CovariateSet[], readings: Readings): CovariateSet =>
  sets.find((set) => hasReadings(readings, set)) ?? [];

/** Of how many samples exactly these covariates are known; a set may stand there more than once. */
export type CountsBySet = readonly { readonly covariates: CovariateSet; readonly count: number }[];

/** Counts as if of each sample the first of some sets that it has all of were all that had been measured. */
export const countsKnownBy = (counts: CountsBySet, sets: readonly CovariateSet[]): CountsBySet =>
  counts.map(({ covariates, count }) => ({
    covariates: knownSet(sets, Object.fromEntries(covariates.map((name) => [name, 0]))),
    count,
  }));

/** All samples of some counts. */
export const countOfAll = (counts: CountsBySet): number => counts.reduce((sum, { count }) => sum + count, 0);

/** Whether two sets are the same. */
export const sameSet = (one: CovariateSet, other: CovariateSet): boolean => setName(one) === setName(other);

/** Whether a set is among some. */
export const hasSet = (sets: readonly CovariateSet[], set: CovariateSet): boolean =>
  sets.some((other) => sameSet(other, set));

/** The set that several answers were read with; the empty one where they differ, which is the safe side. */
export function sharedSet(sets: readonly CovariateSet[]): CovariateSet {
  const [first = []] = sets;
  return sets.every((set) => sameSet(set, first)) ? first : [];
}

/** Readings of some covariates alone. */
export function readingsOf(readings: Readings, names: CovariateSet): Readings {
  return Object.fromEntries(Object.entries(readings).filter(([name]) => names.includes(name)));
}

/**
 * A reading on the scale that models read. Of heights log(1 + cm): a centimetre more says more of a short sward than of
 * a tall one. Others are read as they stand.
 */
export const modelScale = (name: string, value: number): number =>
  name === HEIGHT ? Math.log1p(Math.max(0, value)) : value;

/** What a set is called in files: `height+ndvi`; of the empty one nothing. */
export const setName = (set: CovariateSet): string => set.join('+');

/** A covariate's name as a run knows it: `height` and `ndvi` in small letters, others as they stand. */
export function covariateName(text: string): string {
  const name = text.trim();
  return [HEIGHT, NDVI].find((known) => known === name.toLowerCase()) ?? name;
}

/** What folders and files of a set are called: `with-height+ndvi`. */
export const caseFolder = (set: CovariateSet): string =>
  `with-${setName(set).replaceAll(/[^\p{L}\p{N}+-]+/gu, '-')}`;

/** What a set is called in sentences: `height and ndvi`. */
export const setWords = (set: CovariateSet): string => set.join(' and ');

/** What an answer by a set is called: `with height`, `without`. */
export const caseWords = (set: CovariateSet): string =>
  set.length > 0 ? `with ${setWords(set)}` : 'without';
