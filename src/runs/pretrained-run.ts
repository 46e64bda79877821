import { UsageError } from '../ground/errors.ts';
import { byMass } from '../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import type { MassMap } from '../vision/biomass-map/index.ts';
import type { Calibration, StoredCalibration } from './calibration.ts';
import type { PretrainingManifest } from './manifest.ts';
import type { PhotoPrediction } from './prediction.ts';
import type { RunResults } from './results.ts';
import type { Run, RunCapabilities, RunGraph } from './run.ts';

/** A backbone that `sward pretrain` trained further: weights to train runs with, which answer nothing themselves. */
export class PretrainedRun implements Run {
  readonly kind = 'pretraining';
  readonly about = null;
  readonly covariates = [];
  readonly crop = null;
  readonly areaSquareMetres = QUADRAT_AREA_SQUARE_METRES;
  readonly folder: string;
  readonly manifest: PretrainingManifest;

  constructor(folder: string, manifest: PretrainingManifest) {
    this.folder = folder;
    this.manifest = manifest;
  }

  get name(): string {
    return `pretrained ${this.manifest.backbone.name}`;
  }

  get fingerprint(): string {
    return this.manifest.fingerprint;
  }

  async capabilities(): Promise<RunCapabilities> {
    return {
      predictsFrom: null,
      dropout: false,
      maps: false,
      graph: false,
      ownBackbones: false,
      results: false,
      masses: byMass(() => false),
    };
  }

  requireAnswers(): Promise<void> {
    throw this.#refusal();
  }

  predict(): Promise<PhotoPrediction[]> {
    throw this.#refusal();
  }

  calibration(): Promise<Calibration> {
    throw this.#refusal();
  }

  storedCalibration(): Promise<StoredCalibration> {
    throw this.#refusal();
  }

  results(): Promise<RunResults> {
    throw this.#refusal();
  }

  graph(): Promise<RunGraph> {
    throw this.#refusal();
  }

  maps(): Promise<MassMap[]> {
    throw this.#refusal();
  }

  async dispose(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  [Symbol.dispose](): void {}

  #refusal(): UsageError {
    return new UsageError(
      `${this.folder} is a pretrained backbone, which predicts nothing itself; train a run with ` +
        `--set backbone=${this.folder}/${this.manifest.result?.file ?? 'backbone.safetensors'}`,
    );
  }
}
