import type { PhotoReadings, Reading } from '../../data/covariates/read.ts';
import { readNumber } from '../../data/numbers.ts';
import { countOf } from '../../ground/counts.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import {
  HEIGHT,
  HEIGHT_UNITS,
  type HeightMethod,
  type HeightUnit,
  TALLEST_SWARD,
} from '../../pasture/covariates.ts';
import {
  askedReadings,
  type CovariateSource,
  covariateWords,
  type ReadingTable,
  type RunCovariate,
  readTables,
  tablesBeside,
} from '../../runs/covariates.ts';
import type { Run } from '../../runs/run.ts';
import type { Samples } from '../../samples/samples.ts';
import { photoName } from '../../vision/photos/photo.ts';

/** What was measured beside the photos that are asked about. */
export interface AskedCovariates extends CovariateSource {
  /** Of all photos alike, by the covariate's name: heights in centimetres. */
  readonly values?: Readonly<Record<string, number>>;
}

/** A height as given. */
export interface AskedHeight {
  /** Centimetres. */
  readonly value: number;
  /** Where the unit says it: only a rising plate clicks. */
  readonly method?: HeightMethod;
}

/**
 * Reads a height as a person writes it: `12`, `12 cm`, `120mm`, `24clicks`.
 *
 * @throws UsageError for what is none, or none that a sward has
 */
export function askedHeight(text: string): AskedHeight {
  const [, number = '', unit = ''] = /^\s*([\d.,]+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const names = Object.keys(HEIGHT_UNITS) as HeightUnit[];
  const named = names.find((name) => name === (unit.toLowerCase() || 'cm'));
  const value = named === undefined || number === '' ? Number.NaN : readNumber(number) * HEIGHT_UNITS[named];
  if (value <= TALLEST_SWARD) {
    return { value, ...(named === 'clicks' && { method: 'rising-plate' }) };
  }
  if (Number.isFinite(value)) {
    throw new UsageError(`height ${text}: no sward is ${value} cm tall; give centimetres, as 12.5`);
  }
  throw new UsageError(`height ${text}: give centimetres, as 12, or clicks of a rising plate, as 24clicks`);
}

/** Samples with what was measured beside them, as a run reads it. */
export interface ReadSamples {
  readonly samples: Samples;
  /** Why a reading of a sample is not used, by its id. */
  readonly refused: ReadonlyMap<string, string>;
  /** What a person is told, a line each. */
  readonly remarks: readonly string[];
}

/**
 * Gives samples what was measured beside them: values for all, a table, or else a `covariates.csv` that lies beside the
 * photos.
 *
 * @throws UsageError for what the run does not read
 * @throws InputError when a table cannot be read, or names none of the photos
 */
export async function withAskedReadings(
  run: Run,
  samples: Samples,
  given: AskedCovariates = {},
): Promise<ReadSamples> {
  const { covariates, folder } = run;
  const { values = {}, table, method, pairs } = given;
  const names = covariates.map(({ name }) => name);
  if (names.length === 0) {
    const [idle] = [...Object.keys(values), ...Object.keys(given).filter((name) => name !== 'values')];
    if (idle === undefined) return { samples, refused: new Map(), remarks: [] };
    throw new UsageError(`${folder} reads photos alone, no height or the like; train one with --with height`);
  }
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`${folder} reads ${covariates.map(covariateWords).join(' and ')}, no ${unknown}`);
  }
  const keys = samples.hasPhotos ? samples.photos.map(photoName) : samples.facts.map(({ id }) => id);
  const found = samples.hasPhotos ? tablesBeside(keys) : [];
  const tables: ReadingTable[] =
    table === undefined ? found.map((path) => ({ path, method, isFound: true })) : [{ path: table, method }];
  const read =
    tables.length > 0
      ? await readTables(tables, names, keys)
      : { photos: keys.map((): PhotoReadings => new Map()), isNamed: false, remarks: [] };
  if (table !== undefined && read.photos.every(({ size }) => size === 0)) {
    const what = `has no ${names.join(' or ')} of any of the photos asked about`;
    throw new InputError(
      table,
      what,
      read.isNamed ? 'fill in its cells' : 'name photos by their file or sample id',
    );
  }
  const all = Object.entries(values).map(([name, value]): [string, Reading[]] => [
    name,
    [{ value, method: name === HEIGHT ? (method ?? null) : null }],
  ]);
  const photos = read.photos.map((known) => new Map([...known, ...all]));
  const measured = await measuredSamples(run, samples, photos, { pairs });
  return { ...measured, remarks: [...read.remarks, ...measured.remarks] };
}

/** Samples with readings of each, as a run reads them. @throws InputError when pairs tell no conversion */
export async function measuredSamples(
  { covariates }: Run,
  samples: Samples,
  photos: readonly PhotoReadings[],
  given: Pick<CovariateSource, 'pairs'>,
): Promise<ReadSamples> {
  const asked = await askedReadings(covariates, photos, given);
  const refused = new Map(
    samples.facts.flatMap(({ id }, item) => {
      const why = asked.refused[item];
      return why ? [[id, why] as const] : [];
    }),
  );
  const [why] = refused.values();
  return {
    samples: samples.measuring(asked.readings),
    refused,
    remarks: [
      ...asked.remarks,
      ...(why === undefined
        ? []
        : [
            `warning: ${countOf(refused.size, 'photo')} answered without height: ${why}; ${remedyOf(covariates)}`,
          ]),
    ],
  };
}

/** Heights convert to those of a method, and to no others. */
function remedyOf(covariates: readonly RunCovariate[]): string {
  return covariates.some(({ name, method }) => name === HEIGHT && method === null)
    ? 'train it again with --height-method, as its own heights were measured'
    : '--height-pairs FILE converts heights measured otherwise';
}
