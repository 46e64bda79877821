import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readHeightPairs } from '../data/covariates/height-pairs.ts';
import {
  type CovariateTableOptions,
  type PhotoReadings,
  type Reading,
  readCovariates,
} from '../data/covariates/read.ts';
import { type Problem, problemLine } from '../data/problems.ts';
import { countOf } from '../ground/counts.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { nearestTo } from '../ground/setting-list.ts';
import {
  type CovariateSet,
  HEIGHT,
  HEIGHT_METHODS,
  type HeightMethod,
  methodWords,
  NDVI,
  type Readings,
} from '../pasture/covariates.ts';
import { convertedHeight, type HeightConversion } from '../pasture/height-conversion.ts';

/** Tables that are found by themselves where photos lie. */
const FOUND = ['covariates.csv', 'covariates.xlsx'];

const conversionSchema = z.strictObject({
  from: z.enum(HEIGHT_METHODS),
  to: z.enum(HEIGHT_METHODS),
  intercept: z.number(),
  slope: z.number(),
  error: z.number(),
  pairs: z.int(),
  low: z.number(),
  high: z.number(),
});

/** A covariate as a run was trained on it. */
export const runCovariateSchema = z.strictObject({
  name: z.string().min(1),
  /** `cm` of heights; null: it has none, or nobody said. */
  unit: z.string().nullable(),
  /** Of heights: how they were measured; null: nobody said. */
  method: z.enum(HEIGHT_METHODS).nullable(),
  /** Training photos of which it is known. */
  photos: z.int().min(1),
  /** The least and the most that was measured. */
  low: z.number(),
  high: z.number(),
  /** By which heights measured otherwise were made ones of this method. */
  conversions: z.array(conversionSchema).optional(),
});
/** A covariate as a run was trained on it. */
export type RunCovariate = z.output<typeof runCovariateSchema>;

/** Where readings come from besides a table of labels, and how they were measured. */
export const covariateSourceSchema = z.strictObject({
  /** A table that names photos by file or sample id. */
  table: z.string().optional(),
  /** How heights were measured of which tables do not say it. */
  method: z.enum(HEIGHT_METHODS).optional(),
  /** A table of heights measured both ways, that converts the others. */
  pairs: z.string().optional(),
});
/** Where readings come from besides a table of labels, and how they were measured. */
export type CovariateSource = z.output<typeof covariateSourceSchema>;

/** What a covariate is: `height (falling plate, cm)`. */
export function covariateWords({
  name,
  unit,
  method,
}: Pick<RunCovariate, 'name' | 'unit' | 'method'>): string {
  const facts = [...(method ? [methodWords(method)] : []), ...(unit ? [unit] : [])];
  return facts.length > 0 ? `${name} (${facts.join(', ')})` : name;
}

/** What was measured of photos, in the run's units and by its methods. */
export interface KnownReadings {
  readonly covariates: readonly RunCovariate[];
  /** One a photo. */
  readonly readings: readonly Readings[];
  /** What a person is told, a line each. */
  readonly remarks: readonly string[];
}

/** Tables to read readings from, the first having the last word where two say something of a photo. */
export interface ReadingTable extends CovariateTableOptions {
  readonly path: string;
  /** Whether nobody named it. */
  readonly isFound?: boolean;
}

/** A table of covariates in the folder of photos; null where there is none. */
export function tableBeside(folder: string): string | null {
  return FOUND.map((name) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Tables of covariates in the folders that photos lie in. */
export function tablesBeside(paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) => tableBeside(folder) ?? []);
}

/** What tables say of photos, joined. */
interface ReadTables {
  readonly photos: readonly PhotoReadings[];
  /** Whether a table has a row of any of the photos. */
  readonly isNamed: boolean;
  readonly remarks: readonly string[];
}

/**
 * What tables say of photos, joined; with what a person is told.
 *
 * @throws InputError as {@link readCovariates}, for tables without the columns, and where no cell can be read
 */
export async function readTables(
  tables: readonly ReadingTable[],
  names: CovariateSet,
  photos: readonly string[],
): Promise<ReadTables> {
  const joined = photos.map(() => new Map<string, readonly Reading[]>());
  const remarks: string[] = [];
  const found = new Set<string>();
  const unread: Problem[] = [];
  let isNamed = false;
  for (const { path, isFound, ...options } of tables) {
    const table = await readCovariates(path, names, photos, options);
    if (!isFound) unread.push(...table.problems.filter(({ code }) => code === 'not-a-number'));
    for (const name of table.names) found.add(name);
    remarks.push(...table.problems.map((problem) => `warning: ${problemLine(problem)}`));
    const named = table.photos.filter((readings) => readings !== null).length;
    isNamed ||= named > 0;
    if (isFound && table.names.length > 0) {
      remarks.push(`${table.names.join(', ')} of ${countOf(named, 'photo')} from ${path}`);
    }
    table.photos.forEach((readings, photo) => {
      for (const [name, own] of readings ?? []) {
        const known = joined[photo];
        if (known && !known.has(name)) known.set(name, own);
      }
    });
  }
  const lacking = names.filter((name) => !found.has(name));
  if (found.size === 0 && tables.length > 0) {
    const paths = tables.map(({ path }) => path).join(' and ');
    throw new InputError(
      paths,
      `has no column of ${lacking.join(', ')}`,
      lacking.map(meantBy).find((meant) => meant !== null) ?? 'add it, or name another table by --covariates',
    );
  }
  const [wrong] = unread;
  if (wrong && joined.every(({ size }) => size === 0))
    throw new InputError(wrong.where, wrong.what, wrong.remedy);
  for (const name of lacking) remarks.push(`no table has a column of ${name}`);
  return { photos: joined, isNamed, remarks };
}

/** What may have been meant by a name that nobody knows; null: nothing near. */
function meantBy(name: string): string | null {
  const meant = nearestTo(name, [HEIGHT, NDVI]);
  return meant === undefined || meant === name ? null : `did you mean ${meant}?`;
}

/**
 * Readings to train on: heights of one method alone. Others are made ones of it by a conversion fitted to pairs, or left
 * out, which is said.
 *
 * @throws UsageError where heights were measured in several ways and nobody says which is the run's
 * @throws InputError when a covariate is known of no photo
 */
export async function trainingReadings(
  names: CovariateSet,
  photos: readonly PhotoReadings[],
  { method, pairs }: CovariateSource,
): Promise<KnownReadings> {
  const heights = photos.flatMap((readings) => readings.get(HEIGHT) ?? []);
  const own = method ?? soleMethod(heights);
  const others = [...new Set(heights.map((reading) => reading.method))].filter((other) => other !== own);
  const conversions = await conversionsTo(own, others, pairs);
  const readings = photos.map((known): Readings => {
    const entries = names.flatMap((name): [string, number][] => {
      const value = readAs(known.get(name) ?? [], name === HEIGHT ? own : null, conversions);
      return value === null ? [] : [[name, value]];
    });
    return Object.fromEntries(entries);
  });
  const isUnstated = own === null && names.includes(HEIGHT) && heights.length > 0;
  const remarks = others.flatMap((other) => {
    const conversion = conversions.find(({ from }) => from === other);
    if (conversion) return [conversionSentence(conversion)];
    const left = photos.filter(
      (known, photo) =>
        known.get(HEIGHT)?.some((reading) => reading.method === other) &&
        !(HEIGHT in (readings[photo] ?? {})),
    ).length;
    return left === 0
      ? []
      : [
          `warning: ${countOf(left, 'photo')} with a height by ${methodWords(other)} count as without one: the run's is by ` +
            `${methodWords(own)}; --height-pairs FILE converts them`,
        ];
  });
  const covariates = names.map((name): RunCovariate => {
    const values = readings.flatMap((known) => known[name] ?? []);
    if (values.length === 0) {
      throw new InputError(
        'covariates',
        `${name} is known of no photo`,
        meantBy(name) ?? 'add its column, or leave it out of --with',
      );
    }
    return {
      name,
      unit: name === HEIGHT ? 'cm' : null,
      method: name === HEIGHT ? own : null,
      photos: values.length,
      low: Math.min(...values),
      high: Math.max(...values),
      ...(name === HEIGHT && conversions.length > 0 && { conversions: [...conversions] }),
    };
  });
  return { covariates, readings, remarks: [...remarks, ...(isUnstated ? [UNSTATED] : [])] };
}

const UNSTATED =
  'warning: nobody says how heights were measured, and those said to be by a plate or a ruler will not be read by the ' +
  `run; say it by --height-method (${HEIGHT_METHODS.join(', ')})`;

/** The one way in which all heights were measured; null where nobody said. */
function soleMethod(heights: readonly Reading[]): HeightMethod | null {
  const methods = [...new Set(heights.map(({ method }) => method))];
  if (methods.length < 2) return methods[0] ?? null;
  throw new UsageError(
    `heights were measured by ${methods.map(methodWords).join(' and ')}, which are not the same; say by --height-method ` +
      'which the run is to read',
  );
}

async function conversionsTo(
  own: HeightMethod | null,
  others: readonly (HeightMethod | null)[],
  pairs: string | undefined,
): Promise<HeightConversion[]> {
  if (pairs === undefined || own === null) return [];
  const found: HeightConversion[] = [];
  for (const other of others) {
    if (other !== null) found.push(await readHeightPairs(pairs, other, own));
  }
  return found;
}

/** A reading by a method; null where there is none and no conversion gives one. */
function readAs(
  readings: readonly Reading[],
  method: HeightMethod | null,
  conversions: readonly HeightConversion[],
): number | null {
  const direct = readings.find((reading) => reading.method === method);
  if (direct) return direct.value;
  for (const reading of readings) {
    const conversion = conversions.find(({ from }) => from === reading.method);
    const converted = conversion ? convertedHeight(conversion, reading.value) : null;
    if (converted !== null) return converted;
  }
  return null;
}

/** A conversion as a person reads it. */
function conversionSentence({ from, to, intercept, slope, error, pairs }: HeightConversion): string {
  const sign = intercept < 0 ? '−' : '+';
  return (
    `heights by ${methodWords(from)} are converted: ${methodWords(to)} = ${slope.toFixed(3)} × ${methodWords(from)} ` +
    `${sign} ${Math.abs(intercept).toFixed(2)} cm, from ${pairs} pairs, ± ${error.toFixed(2)} cm`
  );
}

/** Readings of photos to be answered, as a run reads them, and what of them it cannot read. */
export interface AskedReadings {
  readonly readings: readonly Readings[];
  /** Of each photo: why a reading is not used, in words; null where nothing was left out. */
  readonly refused: readonly (string | null)[];
  readonly remarks: readonly string[];
}

/**
 * Readings as a run reads them. A height of which nobody said how it was measured counts as measured as the run's were;
 * one by another method is converted by pairs, or else not used.
 *
 * @throws InputError when pairs tell no conversion
 */
export async function askedReadings(
  covariates: readonly RunCovariate[],
  photos: readonly PhotoReadings[],
  { pairs }: Pick<CovariateSource, 'pairs'>,
): Promise<AskedReadings> {
  const own = covariates.find(({ name }) => name === HEIGHT)?.method ?? null;
  const stated = photos.flatMap((known) => known.get(HEIGHT)?.flatMap(({ method }) => method ?? []) ?? []);
  const others = [...new Set(stated)].filter((method) => method !== own);
  const conversions = await conversionsTo(own, others, pairs);
  const refused: (string | null)[] = [];
  let assumed = 0;
  const readings = photos.map((known): Readings => {
    let why: string | null = null;
    const entries = covariates.flatMap(({ name }): [string, number][] => {
      const given = known.get(name) ?? [];
      if (given.length === 0) return [];
      const isHeight = name === HEIGHT;
      const unstated = given.find(({ method }) => method === null);
      const value =
        readAs(given, isHeight ? own : null, conversions) ?? (isHeight ? (unstated?.value ?? null) : null);
      if (value !== null) {
        if (isHeight && own !== null && !given.some(({ method }) => method !== null)) assumed += 1;
        return [[name, value]];
      }
      const [{ method }] = given as [Reading];
      const isBeyond = conversions.some(({ from }) => from === method);
      why = isBeyond
        ? `its height lies beyond the pairs that convert ${methodWords(method)}`
        : `its height is by ${methodWords(method)}, and the run reads ${methodWords(own)}`;
      return [];
    });
    refused.push(why);
    return Object.fromEntries(entries);
  });
  const remarks = [
    ...conversions.map(conversionSentence),
    ...(assumed > 0
      ? [
          `heights are taken as measured by ${methodWords(own)}, as the run's were (--height-method says otherwise)`,
        ]
      : []),
  ];
  return { readings, refused, remarks };
}
