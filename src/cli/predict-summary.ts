import { countOf } from '../ground/counts.ts';
import { setName } from '../pasture/covariates.ts';
import { byMass, MASS_NAMES, targetsToArray, underTargetNames } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import type { PaddockMean, PhotoPrediction } from '../workflows/index.ts';
import { shown, textTable } from './tables.ts';

/** What stands behind the name of a doubtful photo. */
export const MARK = ' (!)';

/** Photos listed on the screen; the file has all. */
const ROWS_SHOWN = 20;

const TOTAL = MASS_NAMES.indexOf('total');
const HEADS = ['green g', 'dead g', 'clover g', 'GDM g', 'total g'] as const;

/** What a summary of predictions is told besides them. */
export interface SummaryOptions {
  /** The file they were written to; absent: none. */
  readonly out?: string;
  /** Frame that the grams stand on, m². */
  readonly area: number;
  /** Coverage of each photo's interval; absent: photos have none. */
  readonly coverage?: number;
  /** Photos that are doubtful, by id: their names are marked. */
  readonly doubtful?: ReadonlySet<string>;
  /** The mean without them. */
  readonly sure?: PaddockMean | null;
  readonly hectares?: number;
  /** Whether it is told which covariates were read of each photo. */
  readonly covariates?: boolean;
}

/** Predictions as a person reads them: a table of photos, and the mean of several with its interval. */
export function predictionSummary(
  predictions: readonly PhotoPrediction[],
  paddock: PaddockMean | null,
  { out, area, coverage, doubtful, sure, hectares, covariates: isTold = false }: SummaryOptions,
): string {
  const perHectare = (grams: number): number => gramsToKilogramsPerHectare(grams, area);
  // Masses that the run was not taught have no column.
  const columns = MASS_NAMES.flatMap((mass, at) =>
    predictions.some(({ targets }) => !Number.isNaN(targets[mass])) ? [at] : [],
  );
  const hasTotal = columns.includes(TOTAL);
  const line = (name: string, masses: readonly number[], used = ''): string[] => [
    name,
    ...columns.map((mass) => shown(masses[mass] ?? Number.NaN, 1)),
    ...(hasTotal ? [shown(perHectare(masses[TOTAL] ?? Number.NaN), 0)] : []),
    ...(isTold ? [used] : []),
  ];
  const lines = (name: string, { targets, intervals, covariates = [] }: PhotoPrediction): string[][] => [
    line(name, targetsToArray(targets), covariates.length > 0 ? setName(covariates) : 'photo alone'),
    ...(intervals ? ends(line, intervals, coverage === undefined ? '' : ` ${percent(coverage)}`) : []),
  ];
  const listed = predictions
    .slice(0, ROWS_SHOWN)
    .flatMap((photo) => lines(`${photo.imageId}${doubtful?.has(photo.imageId) ? MARK : ''}`, photo));
  const hidden = predictions.length - Math.min(predictions.length, ROWS_SHOWN);
  const share = paddock && percent(paddock.coverage);
  return [
    textTable(
      [
        'photo',
        ...columns.map((mass) => HEADS[mass] ?? ''),
        ...(hasTotal ? ['total kg DM/ha'] : []),
        ...(isTold ? ['read with'] : []),
      ],
      [
        ...listed,
        ...(paddock
          ? [line('mean', targetsToArray(paddock.mean)), ...ends(line, paddock.intervals, ` ${share}`)]
          : []),
      ],
    ),
    ...(doubtful?.size
      ? [
          `${MARK.trim()} unlike ${isTold ? 'what' : 'the photos'} the run was trained on, or more mass than any had: not to be relied on`,
        ]
      : []),
    ...(paddock && sure ? [sureLine(sure, perHectare, predictions.length)] : []),
    ...(hidden > 0
      ? [
          `${countOf(hidden, 'more photo')} ${out === undefined ? 'not shown; --out FILE writes all' : 'in the file'}`,
        ]
      : []),
    ...(paddock && hasTotal && hectares !== undefined ? [paddockLine(paddock, perHectare, hectares)] : []),
    ...(out === undefined ? [] : [`${out}: ${countOf(predictions.length, 'photo')}`]),
  ].join('\n');
}

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;

/** The mean of photos as JSON, grams and kg DM/ha, with the paddock's total where its size is known. */
export function paddockJson(
  { photos, coverage, mean, intervals }: PaddockMean,
  { area, hectares }: SummaryOptions,
): Record<string, unknown> {
  const perHectare = (grams: number): number => gramsToKilogramsPerHectare(grams, area);
  return {
    photos,
    coverage,
    grams: underTargetNames(mean),
    low: underTargetNames(byMass((mass) => intervals[mass].low)),
    high: underTargetNames(byMass((mass) => intervals[mass].high)),
    kg_dm_per_ha: {
      mean: perHectare(mean.total),
      low: perHectare(intervals.total.low),
      high: perHectare(intervals.total.high),
    },
    ...(hectares !== undefined && {
      hectares,
      total_kg: {
        mean: perHectare(mean.total) * hectares,
        low: perHectare(intervals.total.low) * hectares,
        high: perHectare(intervals.total.high) * hectares,
      },
    }),
  };
}

function ends(
  line: (name: string, masses: readonly number[]) => string[],
  intervals: PaddockMean['intervals'],
  share: string,
): string[][] {
  return [
    line(
      `  low${share}`,
      MASS_NAMES.map((mass) => intervals[mass].low),
    ),
    line(
      `  high${share}`,
      MASS_NAMES.map((mass) => intervals[mass].high),
    ),
  ];
}

function paddockLine(
  { mean, intervals }: PaddockMean,
  perHectare: (grams: number) => number,
  hectares: number,
): string {
  const kilograms = (grams: number): string => (perHectare(grams) * hectares).toFixed(0);
  const { low, high } = intervals.total;
  return `${hectares} ha: ${kilograms(mean.total)} kg of dry matter (${kilograms(low)} to ${kilograms(high)})`;
}

/** The mean of the photos that are not marked. */
function sureLine(
  { photos, mean, intervals }: PaddockMean,
  perHectare: (grams: number) => number,
  all: number,
): string {
  const { low, high } = intervals.total;
  const [mass, least, most] = [mean.total, low, high].map((grams) => perHectare(grams).toFixed(0));
  return `without the ${all - photos} marked: ${mass} kg DM/ha (${least} to ${most}), ${countOf(photos, 'photo')}`;
}
