import type { AnsweringRun } from '../../../src/farm/index.ts';
import type { Readings } from '../../../src/pasture/covariates.ts';
import type { PortableModel } from '../../../src/portable/model.ts';
import type { PortableAnswer } from '../../../src/portable/portable-run.ts';
import type { PaddockMean } from '../../../src/runs/uncertainty.ts';
import type { LoadProgress } from './download.ts';
import type { Keeping } from './piece-store.ts';

/** What an estimate was made by, for its record. */
export interface EstimatedBy {
  readonly run: PortableModel['run'];
  /** ONNX Runtime, how it runs and on how many threads. */
  readonly engine: string;
  readonly precision: PortableModel['precision'];
  readonly areaSquareMetres: number;
  /** What it reads beside photos, where it is known. */
  readonly covariates: PortableModel['covariates'];
}

/** A photo's estimate. */
export interface Estimate extends PortableAnswer {
  readonly by: EstimatedBy;
  /** SHA-256 of the photo's file. */
  readonly sha256: string;
  /** Size upright, pixels. */
  readonly width: number;
  readonly height: number;
}

/** A model that is ready. */
export interface Opened {
  readonly by: EstimatedBy;
  /** How it errs on visits it has not seen. */
  readonly errors: AnsweringRun['errors'];
  /** Whether it stays on the device. */
  readonly keeping: Keeping;
}

/** What the page asks of the worker: arguments and answer of each question. */
export interface Questions {
  open: { readonly ask: { readonly model: string; readonly runtime: string }; readonly answer: Opened };
  estimate: {
    readonly ask: {
      readonly name: string;
      readonly photo: Blob;
      readonly coverage: number;
      readonly readings: Readings;
    };
    readonly answer: Estimate;
  };
  paddockMean: {
    readonly ask: { readonly answers: readonly PortableAnswer[]; readonly coverage: number };
    readonly answer: PaddockMean;
  };
  release: { readonly ask: null; readonly answer: null };
}

export type QuestionKind = keyof Questions;

/** From the page to the worker. */
export type Question = {
  [Kind in QuestionKind]: { readonly id: number; readonly kind: Kind; readonly ask: Questions[Kind]['ask'] };
}[QuestionKind];

/** From the worker to the page. */
export type Reply =
  | { readonly id: number; readonly progress: LoadProgress }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };
