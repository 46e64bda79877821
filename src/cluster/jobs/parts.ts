import { createHash } from 'node:crypto';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { predictionText } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { byMass, MASS_NAMES, type MassName, TARGET_NAMES, underTargetNames } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import { openStore, type Store } from '../../storage/index.ts';
import { columnsOf } from '../../workflows/predict/prediction-files.ts';
import type { PredictionFileOptions } from '../../workflows/predict/prediction-record.ts';
import type { PhotoProblem } from '../units/answer.ts';
import type { PartsFormat } from './parts-format.ts';
import { problemText } from './problem-table.ts';

/** Photos of one part: some ten megabytes. */
const PHOTOS_PER_PART = 50_000;

interface PartsOptions extends PredictionFileOptions {
  readonly run: string;
  readonly photosPerPart?: number;
}

/** What `summary.json` says of all parts. */
export interface PartsSummary {
  readonly run: string;
  readonly photos: number;
  readonly problems: number;
  /** Photos whose prediction is not to be trusted as others are. */
  readonly doubtful: number;
  /** Means over photos: grams a quadrat, and dry matter a hectare. */
  readonly grams: Readonly<Record<string, number | null>>;
  readonly kg_dm_per_ha: number | null;
  readonly parts: readonly {
    readonly file: string;
    readonly photos: number;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

/**
 * Predictions in parts of many photos: `part-00000.csv` and so on, `problems.csv` where photos could not be used, and in
 * the end `summary.json`, so that who finds it knows that all is there.
 */
export class PredictionParts {
  readonly #store: Store;
  readonly #format: PartsFormat;
  readonly #options: PartsOptions;
  readonly #parts: PartsSummary['parts'][number][] = [];
  readonly #sums = new Map<MassName, number>(MASS_NAMES.map((mass) => [mass, 0]));
  #waiting: PhotoPrediction[] = [];
  #photos = 0;
  #doubtful = 0;

  constructor(out: string, format: PartsFormat, options: PartsOptions) {
    this.#store = openStore(out);
    this.#format = format;
    this.#options = options;
  }

  async add(predictions: readonly PhotoPrediction[], doubtful: number): Promise<void> {
    const { photosPerPart = PHOTOS_PER_PART } = this.#options;
    this.#doubtful += doubtful;
    for (const prediction of predictions) {
      this.#photos++;
      for (const mass of MASS_NAMES) {
        this.#sums.set(mass, (this.#sums.get(mass) ?? 0) + prediction.targets[mass]);
      }
      this.#waiting.push(prediction);
      if (this.#waiting.length >= photosPerPart) await this.#write();
    }
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const content = this.#format === 'csv' ? this.#csv() : this.#parquet();
    const file = `part-${String(this.#parts.length).padStart(5, '0')}.${this.#format}`;
    await this.#store.put(file, content);
    this.#parts.push({
      file,
      photos: this.#waiting.length,
      bytes: content.byteLength,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    this.#waiting = [];
  }

  #csv(): Buffer {
    const text = predictionText(columnsOf(this.#options));
    return Buffer.from(text.head + text.rows(this.#waiting));
  }

  #parquet(): Buffer {
    const { coverage, uncertainty = false, shownPaths, areaSquareMetres } = this.#options;
    const rows = this.#waiting;
    const text = (name: string, of: (row: PhotoPrediction) => string | null) =>
      ({ name, data: rows.map(of), type: 'STRING' }) as const;
    const number = (name: string, of: (row: PhotoPrediction) => number | null | undefined) =>
      ({ name, data: rows.map((row) => finiteOrNull(of(row))), type: 'DOUBLE' }) as const;
    const masses = MASS_NAMES.map((mass, target) => [mass, TARGET_NAMES[target] ?? mass] as const);
    const columnData = [
      text('image_id', ({ imageId }) => imageId),
      text('photo', ({ path }) => (path === null ? null : (shownPaths?.get(path) ?? path))),
      ...masses.map(([mass, name]) => number(name, ({ targets }) => targets[mass])),
      number('kg_dm_per_ha', ({ targets }) => gramsToKilogramsPerHectare(targets.total, areaSquareMetres)),
      ...(coverage === undefined
        ? []
        : masses.flatMap(([mass, name]) => [
            number(`${name}_low`, ({ intervals }) => intervals?.[mass].low),
            number(`${name}_high`, ({ intervals }) => intervals?.[mass].high),
          ])),
      ...(uncertainty ? [number('out_of_domain', ({ outOfDomain }) => outOfDomain)] : []),
    ];
    return Buffer.from(parquetWriteBuffer({ columnData, createdBy: 'sward' }));
  }

  async finish(problems: readonly PhotoProblem[]): Promise<PartsSummary> {
    await this.#write();
    const mean = byMass((mass) => (this.#sums.get(mass) ?? 0) / this.#photos);
    const perHectare = gramsToKilogramsPerHectare(mean.total, this.#options.areaSquareMetres);
    const summary: PartsSummary = {
      run: this.#options.run,
      photos: this.#photos,
      problems: problems.length,
      doubtful: this.#doubtful,
      grams: Object.fromEntries(
        Object.entries(underTargetNames(mean)).map(([name, value]) => [name, finiteOrNull(value)]),
      ),
      kg_dm_per_ha: finiteOrNull(perHectare),
      parts: this.#parts,
    };
    if (problems.length > 0) await this.#store.put('problems.csv', problemText(problems));
    await this.#store.put('summary.json', `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  }
}

const finiteOrNull = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : value;

/**
 * Refuses a place that holds a finished prediction; what one that was interrupted has left goes.
 *
 * @throws UsageError
 */
export async function requireFreeParts(out: string): Promise<void> {
  const store = openStore(out);
  if (await store.facts('summary.json')) {
    throw new UsageError(`${out} holds a finished prediction; choose another --out, or remove it`);
  }
  for await (const { key } of store.list('part-')) await store.remove(key);
  await store.remove('problems.csv');
}
