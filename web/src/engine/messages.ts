import type { AnsweringRun } from '../../../src/farm/index.ts';
import type { Readings } from '../../../src/pasture/covariates.ts';
import type { PortableModel } from '../../../src/portable/model.ts';
import type { PortableAnswer } from '../../../src/portable/portable-run.ts';
import type { PaddockMean } from '../../../src/runs/uncertainty.ts';
import type { GraphicsSeconds } from './graphics-test.ts';
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
  /** Why the graphics chip, which was to answer, did not and will not; null where it did, or was not asked. */
  readonly graphicsGone: GraphicsGone | null;
}

/** How the graphics chip went. */
export interface GraphicsGone {
  readonly why: string;
  /** Whether it was at work on the photo; else it was taken away before. */
  readonly atWork: boolean;
}

/** What a test of the graphics chip has come to. */
export type GraphicsTest =
  | { readonly isUsed: true; readonly seconds: GraphicsSeconds }
  | { readonly isUsed: false; readonly why: string; readonly seconds: GraphicsSeconds | null };

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
  /** A JPEG of a photo; no model is needed for it. */
  preview: { readonly ask: { readonly name: string; readonly photo: Blob }; readonly answer: Blob };
  paddockMean: {
    readonly ask: { readonly answers: readonly PortableAnswer[]; readonly coverage: number };
    readonly answer: PaddockMean;
  };
  useGraphics: {
    readonly ask: { readonly runtime: string; readonly patience: number };
    readonly answer: GraphicsTest;
  };
  leaveGraphics: { readonly ask: null; readonly answer: null };
  release: { readonly ask: null; readonly answer: null };
}
