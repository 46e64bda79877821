import type { PhotoPrediction } from '../../runs/prediction.ts';

/** A photo that cannot be used, and why. */
export interface PhotoProblem {
  readonly imageId: string;
  readonly photo: string;
  readonly problem: string;
}

/** What was made of a chunk: of photos to predict in `predictions`, else ids of the rows of its `.npy`. */
export interface ChunkAnswer {
  readonly predictions?: readonly PhotoPrediction[];
  /** SHA-256 of the file of each photo that was predicted. */
  readonly hashes?: readonly string[];
  readonly ids?: readonly string[];
  readonly columns?: number;
  readonly problems: readonly PhotoProblem[];
}

/** The file of a chunk's {@link ChunkAnswer}, and that of its features. */
export const ANSWER = 'answer.json';
export const FEATURES = 'features.npy';
/** Folders of what was drawn of photos, by their ids: `maps/ID.png`. */
export const PICTURES = ['maps', 'crops'] as const;
export type PictureKind = (typeof PICTURES)[number];
/** What a model without a State says of it. */
export const STATE = 'state.json';
