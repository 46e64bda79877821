import type { SaidOfPhoto, SwardHeight } from '../../farm/index.ts';

/** A photo to look at: a file of its own, or the body of a request whose form has it in its field `photo`. */
export type AskedPhoto =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'form'; readonly path: string; readonly contentType: string };

/** What is known of a photo besides its picture, as far as a run can make use of it. */
export interface AskedFacts {
  /** Frame that the grams stand on, m²; absent: that of the run. */
  readonly frameAreaSquareMetres?: number | undefined;
  readonly height?: SwardHeight | null;
}

/** A task of a child that infers. */
export type InferenceTask =
  /** `cache` is for weights that were made ready; nothing computed of photos is kept there. */
  | { readonly kind: 'open'; readonly run: string; readonly cache: string }
  | {
      readonly kind: 'estimate';
      readonly run: string;
      readonly cache: string;
      readonly photo: AskedPhoto;
      /** Of a photo in a form: what the form says. */
      readonly facts: AskedFacts;
    }
  /** Where in a stored photo the run sees mass. */
  | {
      readonly kind: 'map';
      readonly run: string;
      readonly cache: string;
      readonly path: string;
      readonly facts: AskedFacts;
    }
  | { readonly kind: 'inspect'; readonly path: string };

/** What a photo's file says of itself. */
export interface InspectedPhoto {
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  /** ISO, by the camera's clock, which knows no zone. */
  readonly cameraTime: string | null;
  /** Where the file says that it was taken: a hint, never the photo's position by itself. */
  readonly cameraPosition: { readonly latitude: number; readonly longitude: number } | null;
}

/** A photo under the heat map of its total mass. */
export interface DrawnMap {
  /** PNG, base64. */
  readonly png: string;
  /** Value at the top of the colours, kg DM/ha. */
  readonly scaleTop: number;
}

/** What a child answers to each kind of task. */
export interface InferenceAnswers {
  /** Whether the run says where in a photo the mass is. */
  readonly open: { readonly maps: boolean };
  readonly map: DrawnMap;
  /** `refused`: why a height was not read; absent where it was, or none was given. */
  readonly estimate: SaidOfPhoto & { readonly refused?: string };
  readonly inspect: InspectedPhoto;
}
