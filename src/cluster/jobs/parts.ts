import { createHash } from 'node:crypto';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { predictionText } from '../../data/predictions.ts';
import { UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { setName } from '../../pasture/covariates.ts';
import { byMass, MASS_NAMES, type MassName, TARGET_NAMES, underTargetNames } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import { type PhotoPrediction, spreadOf } from '../../runs/prediction.ts';
import { openStore, type Store } from '../../storage/index.ts';
import { columnsOf } from '../../workflows/predict/prediction-files.ts';
import type { PredictionFileOptions, ShownPaths } from '../../workflows/predict/prediction-record.ts';
import type { PhotoProblem } from '../units/answer.ts';
import { GatheredElsewhere, type JobStore } from '../units/job-store.ts';
import type { DiskList } from './disk-list.ts';
import type { PartsFormat } from './parts-format.ts';
import { storeProblems } from './problem-table.ts';
import { type StoredContent, StoredText } from './stored-text.ts';

/** Photos of one part: some ten megabytes. */
const PHOTOS_PER_PART = 50_000;

interface PartsOptions extends Omit<PredictionFileOptions, 'shownPaths'> {
  readonly run: string;
  /** What the parts are of, as {@link PartsPlace} is told. */
  readonly work: string;
  readonly photosPerPart?: number;
}

/** What `summary.json` says of all parts. */
export interface PartsSummary {
  readonly run: string;
  /** Hash of what was asked of which photos, by which the same prediction is known. */
  readonly work: string;
  readonly photos: number;
  readonly problems: number;
  /** Photos that are the same file as an earlier one: they have their rows, and do not count in the means. */
  readonly copies: number;
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

/** A part that grows photo by photo, as little of each as the file will say. */
interface Part {
  add(predictions: readonly PhotoPrediction[], shownPaths: ShownPaths): Promise<void>;
  storeAs(store: Store, key: string): Promise<StoredContent>;
  discard(): Promise<void>;
}

const PARTS: Readonly<Record<PartsFormat, (options: PartsOptions) => Promise<Part>>> = {
  async csv(options) {
    const { head, rows } = predictionText(columnsOf(options));
    const text = await StoredText.open();
    await text.write(head);
    return {
      add: (predictions) => text.write(rows(predictions)),
      storeAs: (store, key) => text.storeAs(store, key),
      discard: () => text.discard(),
    };
  },
  async parquet(options) {
    const columns = parquetColumns(options).map((column) => ({
      ...column,
      data: [] as (string | number | null)[],
    }));
    return {
      async add(predictions, shownPaths) {
        for (const prediction of predictions) {
          for (const { data, of } of columns) data.push(of(prediction, shownPaths));
        }
      },
      async storeAs(store, key) {
        const columnData = columns.map(({ name, data, type }) => ({ name, data, type }));
        const content = Buffer.from(parquetWriteBuffer({ columnData, createdBy: 'sward' }));
        await store.put(key, content);
        return {
          bytes: content.byteLength,
          sha256: createHash('sha256').update(content).digest('hex'),
        };
      },
      discard: async () => {},
    };
  },
};

/** A column of a part with a row a photo. */
interface PhotoColumn {
  readonly name: string;
  readonly type: 'STRING' | 'DOUBLE';
  of(prediction: PhotoPrediction, shownPaths: ShownPaths): string | number | null;
}

function parquetColumns(options: PartsOptions): PhotoColumn[] {
  const { coverage, uncertainty = false, dropout, covariates, framing, areaSquareMetres } = options;
  const text = (name: string, of: PhotoColumn['of']): PhotoColumn => ({ name, type: 'STRING', of });
  const number = (name: string, of: (row: PhotoPrediction) => number | null | undefined): PhotoColumn => ({
    name,
    type: 'DOUBLE',
    of: (row) => finiteOrNull(of(row)),
  });
  const masses = MASS_NAMES.map((mass, target) => [mass, TARGET_NAMES[target] ?? mass] as const);
  return [
    text('image_id', ({ imageId }) => imageId),
    text('photo', ({ path }, shownPaths) => (path === null ? null : (shownPaths.get(path) ?? path))),
    ...masses.map(([mass, name]) => number(name, ({ targets }) => targets[mass])),
    number('kg_dm_per_ha', ({ targets }) => gramsToKilogramsPerHectare(targets.total, areaSquareMetres)),
    ...(coverage === undefined
      ? []
      : masses.flatMap(([mass, name]) => [
          number(`${name}_low`, ({ intervals }) => intervals?.[mass].low),
          number(`${name}_high`, ({ intervals }) => intervals?.[mass].high),
        ])),
    ...(uncertainty
      ? [
          ...masses.map(([mass, name]) =>
            number(`${name}_fold_spread`, ({ folds }) => spreadOf(folds)[mass]),
          ),
          number('out_of_domain', ({ outOfDomain }) => outOfDomain),
        ]
      : []),
    ...(dropout
      ? masses.map(([mass, name]) =>
          number(`${name}_dropout_spread`, ({ dropoutSpread }) => dropoutSpread?.[mass]),
        )
      : []),
    ...(uncertainty
      ? [number('trained_on', ({ trainedOn }) => (trainedOn === null ? null : Number(trainedOn)))]
      : []),
    ...(covariates ? [text('covariates', ({ covariates: used = [] }) => setName(used))] : []),
    ...(framing ? [text('framing', (photo) => photo.framing ?? null)] : []),
  ];
}

/**
 * Predictions in parts of many photos: `part-00000.csv` and so on, `problems.csv` where photos could not be used, and in
 * the end `summary.json`, so that who finds it knows that all is there. In memory is what the part that is being filled
 * will say, and no more.
 */
export class PredictionParts implements AsyncDisposable {
  readonly #store: Store;
  readonly #format: PartsFormat;
  readonly #options: PartsOptions;
  readonly #parts: PartsSummary['parts'][number][] = [];
  readonly #sums = new Map<MassName, number>(MASS_NAMES.map((mass) => [mass, 0]));
  #waiting: Part | null = null;
  #waitingPhotos = 0;
  #photos = 0;
  #copies = 0;
  #doubtful = 0;

  constructor(out: string, format: PartsFormat, options: PartsOptions) {
    this.#store = openStore(out);
    this.#format = format;
    this.#options = options;
  }

  async add(
    predictions: readonly PhotoPrediction[],
    doubtful: number,
    shownPaths: ShownPaths,
  ): Promise<void> {
    const { photosPerPart = PHOTOS_PER_PART } = this.#options;
    this.#doubtful += doubtful;
    this.#photos += predictions.length;
    for (const { targets } of predictions) this.#count(targets, 1);
    for (let start = 0; start < predictions.length; ) {
      const some = predictions.slice(start, start + photosPerPart - this.#waitingPhotos);
      this.#waiting ??= await PARTS[this.#format](this.#options);
      await this.#waiting.add(some, shownPaths);
      this.#waitingPhotos += some.length;
      start += some.length;
      if (this.#waitingPhotos >= photosPerPart) await this.#write();
    }
  }

  /** Leaves a photo that was added out of the means, since one before it is the same. */
  leaveOut({ targets }: PhotoPrediction): void {
    this.#copies++;
    this.#count(targets, -1);
  }

  #count(targets: PhotoPrediction['targets'], times: 1 | -1): void {
    for (const mass of MASS_NAMES) this.#sums.set(mass, (this.#sums.get(mass) ?? 0) + times * targets[mass]);
  }

  async #write(): Promise<void> {
    if (!this.#waiting) return;
    const [part, photos] = [this.#waiting, this.#waitingPhotos];
    const file = `part-${String(this.#parts.length).padStart(5, '0')}.${this.#format}`;
    this.#parts.push({ file, photos, ...(await part.storeAs(this.#store, file)) });
    this.#waiting = null;
    this.#waitingPhotos = 0;
  }

  /** Removes what waits on this machine, where the parts are not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#waiting?.discard();
  }

  /** Writes the table of photos that could not be used, where there are any. */
  async tellProblems(problems: DiskList<PhotoProblem>): Promise<void> {
    if (problems.count > 0) await storeProblems(this.#store, 'problems.csv', problems);
  }

  async finish(problems: DiskList<PhotoProblem>): Promise<PartsSummary> {
    await this.#write();
    const mean = byMass((mass) => (this.#sums.get(mass) ?? 0) / (this.#photos - this.#copies));
    const perHectare = gramsToKilogramsPerHectare(mean.total, this.#options.areaSquareMetres);
    const summary: PartsSummary = {
      run: this.#options.run,
      work: valueFingerprint(this.#options.work),
      photos: this.#photos,
      problems: problems.count,
      copies: this.#copies,
      doubtful: this.#doubtful,
      grams: Object.fromEntries(
        Object.entries(underTargetNames(mean)).map(([name, value]) => [name, finiteOrNull(value)]),
      ),
      kg_dm_per_ha: finiteOrNull(perHectare),
      parts: this.#parts,
    };
    await this.tellProblems(problems);
    await this.#store.put(SUMMARY, `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  }
}

const finiteOrNull = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : value;

/** What a summary says; null where it is none. */
function summaryIn(bytes: Uint8Array): PartsSummary | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}

/** What stands among parts until all are there: which prediction they are of. */
const UNFINISHED = 'unfinished.json';
const SUMMARY = 'summary.json';

/** A place holds the very prediction that is asked for, and nothing is left to do. */
export class FinishedAlready extends UsageError {
  override name = 'FinishedAlready';
  readonly summary: PartsSummary;

  constructor(out: string, summary: PartsSummary) {
    super(
      `${out} holds this very prediction, finished; to compute it anew, remove it or choose another --out`,
    );
    this.summary = summary;
  }
}

/** A place that parts of one prediction go to, and of no other. */
export class PartsPlace {
  readonly #out: string;
  readonly #store: Store;

  constructor(out: string) {
    this.#out = out;
    this.#store = openStore(out);
  }

  /**
   * Refuses a place that holds a finished prediction.
   *
   * @throws FinishedAlready where it is that of this work, UsageError where of another
   */
  async requireUnfinished(work: string): Promise<void> {
    const bytes = await this.#store.read(SUMMARY);
    if (!bytes) return;
    const summary = summaryIn(bytes);
    if (summary?.work === valueFingerprint(work)) throw new FinishedAlready(this.#out, summary);
    throw new UsageError(`${this.#out} holds a finished prediction; choose another --out, or remove it`);
  }

  /**
   * Refuses a place that another prediction writes to, or has left parts in.
   *
   * @param work what the parts are of: that of the same prediction is written over with the same
   * @throws UsageError, also as {@link requireUnfinished}
   */
  async requireFree(work: string): Promise<void> {
    const owner = await this.#store.read(UNFINISHED);
    if (owner) {
      if (Buffer.from(owner).toString() === work) return;
      throw new UsageError(
        `${this.#out} holds parts of another prediction, which is not finished (${UNFINISHED} says so); choose another ` +
          '--out, end that one by its own command, or remove what is there',
      );
    }
    await this.requireUnfinished(work);
    for await (const { key } of this.#store.list('part-')) {
      throw new UsageError(
        `${this.#out} holds ${key} of another prediction; choose another --out, or remove what is there`,
      );
    }
  }

  /**
   * Takes the place for a prediction.
   *
   * @throws UsageError where another has taken it, or has finished there meanwhile
   * @throws GatheredElsewhere where that was the same
   */
  async take(work: string, jobs: JobStore): Promise<void> {
    try {
      await this.requireFree(work);
      if (!(await this.#store.create(UNFINISHED, work))) return await this.requireFree(work);
      // Whoever was first has told that it is finished before it gave the place back.
      await this.requireUnfinished(work).catch(async (error: unknown) => {
        await this.giveBack();
        throw error;
      });
    } catch (error) {
      if (error instanceof UsageError && !(await jobs.isThere())) throw new GatheredElsewhere(jobs);
      throw error;
    }
  }

  /** Says that all parts are there, and nothing is written any more. */
  giveBack(): Promise<void> {
    return this.#store.remove(UNFINISHED);
  }
}
