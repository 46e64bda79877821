import { SwardError } from '../ground/errors.ts';
import { joinFeatureSets, type Matrix, rowVector } from '../ground/matrix.ts';
import { mean } from '../ground/statistics.ts';
import { covariateSets, knownSet, type Readings } from '../pasture/covariates.ts';
import { type Interval, USUAL_COVERAGE } from '../pasture/intervals/index.ts';
import {
  type ByMass,
  byMass,
  TARGET_NAMES,
  type Targets,
  targetsFromArray,
  targetsToArray,
} from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { restoredCalibration } from '../runs/calibration.ts';
import { outsideRange } from '../runs/covariate-range.ts';
import { type Domain, outOfDomainShares } from '../runs/domain/domain.ts';
import type { PhotoPrediction } from '../runs/prediction.ts';
import {
  type PaddockMean,
  type PredictionDoubt,
  type RunUncertainty,
  runUncertainty,
} from '../runs/uncertainty.ts';
import { DESCRIBED_PIXELS, describePhoto } from '../vision/descriptors/describe.ts';
import { combineViews, viewCut } from '../vision/features/plan.ts';
import prepareViews from '../vision/features/prepare-worker.ts';
import { type Pixels, sizeWithin } from '../vision/photos/pixels.ts';
import { laidOut } from '../vision/preprocess/laid-out.ts';
import { resample } from '../vision/preprocess/resample.ts';
import type { PortableModel, PortableSource, StoredFile } from './model.ts';
import { unpackDomain } from './packed-domain.ts';

/** Values of single precision, row-major. */
export interface PortableTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** An ONNX model that is ready to run. */
export interface PortableSession {
  run(inputs: Readonly<Record<string, PortableTensor>>): Promise<Readonly<Record<string, Float32Array>>>;
  release(): Promise<void>;
}

/** What a portable run needs of where it runs. */
export interface PortableHost {
  /** The whole of a file, in a buffer of its own. */
  read(file: StoredFile): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens an ONNX model, which is handed over. @param file of it, one of the model's */
  open(model: Uint8Array<ArrayBuffer>, file: StoredFile): Promise<PortableSession>;
}

/** A photo to be estimated. */
export interface PortablePhoto {
  /** What errors and doubts call it. */
  readonly name: string;
  /** Upright. */
  readonly pixels: Pixels;
  /** Of its file; null where it is not known. */
  readonly sha256: string | null;
  /** What was measured beside it, in the units and by the methods of the model's covariates. */
  readonly readings?: Readings;
}

/** A mass with where it lies, kg DM/ha. */
interface HectareMass extends Interval {
  readonly mass: number;
}

/** What a run says of a photo. */
export interface PortableAnswer {
  /** Grams on the frame, with intervals of `coverage`. */
  readonly prediction: PhotoPrediction;
  readonly kilogramsPerHectare: ByMass<HectareMass>;
  readonly coverage: number;
  /** Sessions that intervals are calibrated on. */
  readonly sessions: number;
  readonly doubts: readonly PredictionDoubt[];
}

/** Backbones of more bytes together are opened one at a time, photo by photo. */
const KEPT_BYTES = 256 * 2 ** 20;

/** Answers that differ by less are the same. */
const SAME_GRAMS = 0.05;
const SAME_SHARE = 0.005;

/**
 * Whether masses, as `TARGET_NAMES`, are those of the run itself to half a percent or 0.05 g.
 *
 * @param masses NaN where none is said
 * @param expected null or NaN where none is to be
 */
export function areSame(masses: readonly number[], expected: readonly (number | null)[]): boolean {
  return expected.every((mass, target) => {
    const said = masses[target] ?? Number.NaN;
    if (mass === null || Number.isNaN(mass)) return Number.isNaN(said);
    const difference = Math.abs(said - mass);
    return difference <= Math.max(SAME_GRAMS, SAME_SHARE * Math.abs(mass));
  });
}

/**
 * A run that was exported for programs beside Node: from pixels to masses with intervals and doubts, by the code that
 * `sward predict` uses for all but backbones and estimators, which are ONNX models. Photos are answered one at a time.
 */
export class PortableRun {
  readonly model: PortableModel;
  readonly #host: PortableHost;
  readonly #isKept: boolean;
  readonly #uncertainty: RunUncertainty;
  readonly #sessions = new Map<StoredFile, Promise<PortableSession>>();
  #domains: Promise<readonly Domain[]> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(model: PortableModel, host: PortableHost) {
    this.model = model;
    this.#host = host;
    this.#uncertainty = runUncertainty(restoredCalibration(model.calibration));
    const backbones = model.sources.map((source) => (source.kind === 'backbone' ? source.model.bytes : 0));
    this.#isKept = backbones.reduce((sum, bytes) => sum + bytes, 0) <= KEPT_BYTES;
  }

  /**
   * @param coverage of the intervals, between 0 and 1
   * @throws InputError for a photo that is too small
   * @throws SwardError where a mass would not be finite
   */
  predict(photo: PortablePhoto, coverage = USUAL_COVERAGE): Promise<PortableAnswer> {
    const answer = this.#last.then(() => this.#predicted(photo, coverage));
    // Sessions take one photo at a time; what went wrong with it is told to who asked for it.
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** The mean of photos of one paddock, taken on one visit. */
  paddockMean(answers: readonly PortableAnswer[], coverage = USUAL_COVERAGE): PaddockMean {
    return this.#uncertainty.paddockMean(
      answers.map(({ prediction }) => prediction),
      coverage,
    );
  }

  /** The stored picture that every place which runs a model is tested with. */
  async testPicture(): Promise<Pixels> {
    const { width, height, pixels } = this.model.self_test;
    return { width, height, data: await this.#host.read(pixels) };
  }

  /** Whether the stored picture is answered here as the run itself answers it. */
  async selfTest(): Promise<boolean> {
    const pixels = await this.testPicture();
    const { prediction } = await this.predict({ name: 'self-test', pixels, sha256: null });
    return areSame(targetsToArray(prediction.targets), this.model.self_test.masses);
  }

  /** Gives back what sessions and records hold; the next photo opens them anew. */
  async release(): Promise<void> {
    await this.#last;
    this.#domains = undefined;
    const opened = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of opened) await (await session.catch(() => null))?.release();
  }

  async #predicted(
    { name, pixels, sha256, readings = {} }: PortablePhoto,
    coverage: number,
  ): Promise<PortableAnswer> {
    const { sources, covariates, estimators, area_m2: area, trained_on: known } = this.model;
    const names = covariates.map((one) => one.name);
    const used = knownSet(covariateSets(names), readings);
    const outside = outsideRange(covariates, readings, used);
    const features: Float64Array[] = [];
    for (const source of sources) features.push(await this.#featuresOf(source, name, pixels));
    const inputs = estimators.reads.map((source) => {
      const data = Float32Array.from(features[source] ?? []);
      return [`source-${source}`, { data, dims: [1, data.length] }] as const;
    });
    const measured = Float32Array.from(names, (one) =>
      used.includes(one) ? (readings[one] ?? Number.NaN) : Number.NaN,
    );
    const said = await this.#run(
      estimators.model,
      {
        ...Object.fromEntries(inputs),
        ...(names.length > 0 && { covariates: { data: measured, dims: [1, names.length] } }),
      },
      true,
    );
    const [[masses = []], folds] = [rowsOf(said.masses), rowsOf(said.folds)];
    if (!masses.every(Number.isFinite)) {
      throw new SwardError(`${name}: the model says no finite mass; export the run again`);
    }
    const plain: PhotoPrediction = {
      imageId: name,
      path: null,
      targets: this.#taught(masses),
      folds: folds.map((row) => this.#taught(row)),
      dropoutSpread: null,
      intervals: null,
      // No training photo has such a reading, so that all of them are nearer.
      outOfDomain: outside.length > 0 ? 1 : await this.#outOfDomain(features),
      trainedOn: known && sha256 !== null ? known.includes(sha256) : null,
      ...(names.length > 0 && { covariates: used, outside }),
    };
    const [prediction = plain] = this.#uncertainty.withIntervals([plain], coverage);
    const hectare = (grams: number): number => gramsToKilogramsPerHectare(grams, area);
    return {
      prediction,
      kilogramsPerHectare: byMass((mass) => {
        const { low, high } = prediction.intervals?.[mass] ?? { low: Number.NaN, high: Number.NaN };
        return { mass: hectare(prediction.targets[mass]), low: hectare(low), high: hectare(high) };
      }),
      coverage,
      sessions: this.#uncertainty.sessions,
      doubts: this.#uncertainty.doubts([prediction]),
    };
  }

  /** Masses of the estimators, NaN of those that the run was not taught. */
  #taught(masses: readonly number[]): Targets {
    const { masses: taught } = this.model;
    const said = targetsFromArray(masses);
    return taught ? byMass((mass) => (taught.includes(mass) ? said[mass] : Number.NaN)) : said;
  }

  async #featuresOf(source: PortableSource, name: string, pixels: Pixels): Promise<Float64Array> {
    if (source.kind === 'descriptors') return describePhoto(shrunk(pixels));
    const { plan, size, batch, width, model, ...how } = source;
    const recipe = { ...how, plan: viewCut(plan), size, turn: 0 };
    const views = prepareViews({ pixels: laidOut(name, pixels, plan.upright), recipe });
    const each = batch * 3 * size * size;
    const vectors = new Float32Array((views.length / each) * batch * width);
    for (let first = 0; first * each < views.length; first++) {
      const images = views.subarray(first * each, (first + 1) * each);
      const inputs = { views: { data: images, dims: [batch, 3, size, size] } };
      const { features } = await this.#run(model, inputs, this.#isKept || (first + 1) * each < views.length);
      vectors.set(features ?? [], first * batch * width);
    }
    return combineViews(plan, vectors, width);
  }

  /** @param isKept whether the session stays open for the next run */
  async #run(
    file: StoredFile,
    inputs: Readonly<Record<string, PortableTensor>>,
    isKept: boolean,
  ): Promise<Readonly<Record<string, Float32Array>>> {
    const opening =
      this.#sessions.get(file) ?? this.#host.read(file).then((bytes) => this.#host.open(bytes, file));
    this.#sessions.set(file, opening);
    // One that could not be opened is tried again by the next photo.
    const session = await opening.catch((error: unknown) => {
      this.#sessions.delete(file);
      throw error;
    });
    const outputs = await session.run(inputs);
    if (!isKept) {
      this.#sessions.delete(file);
      await session.release();
    }
    return outputs;
  }

  async #outOfDomain(features: readonly Float64Array[]): Promise<number | null> {
    const { domains } = this.model;
    if (domains.length === 0) return null;
    this.#domains ??= Promise.all(
      domains.map(async (domain) => unpackDomain(domain, await this.#host.read(domain.data))),
    );
    const records = await this.#domains;
    return mean(
      domains.flatMap(({ reads }, index) =>
        outOfDomainShares(records[index] as Domain, joined(features, reads)),
      ),
    );
  }
}

/** Features of some sources side by side, one row. */
function joined(features: readonly Float64Array[], reads: readonly number[]): Matrix {
  return joinFeatureSets(
    reads.map((source) => ({
      name: `source-${source}`,
      matrix: rowVector(features[source] ?? new Float64Array()),
    })),
  );
}

/** Rows of five masses. */
function rowsOf(values: Float32Array = new Float32Array()): number[][] {
  const { length: targets } = TARGET_NAMES;
  return Array.from({ length: values.length / targets }, (_, row) => [
    ...values.subarray(row * targets, (row + 1) * targets),
  ]);
}

/** A photo as descriptors are computed of it: libvips, which shrinks for `sward predict`, has the same filter. */
function shrunk(pixels: Pixels): Pixels {
  const size = sizeWithin(pixels, DESCRIBED_PIXELS);
  if (size.width === pixels.width && size.height === pixels.height) return pixels;
  const whole = { left: 0, top: 0, right: pixels.width, bottom: pixels.height };
  return resample(pixels, whole, size, 'lanczos');
}
