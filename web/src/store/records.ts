import type {
  Cut,
  Estimate,
  FieldEdits,
  Paddock,
  PhotoRecord,
  Position,
  Visit,
} from '../../../src/farm/index.ts';

/** How a photo came to the app. */
export type PhotoOrigin = 'camera' | 'chosen' | 'server';

/** A photo with what only this device knows of it. Its file lies apart, under the same id. */
export interface KeptPhoto {
  readonly id: string;
  readonly record: PhotoRecord;
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly origin: PhotoOrigin;
  /** What looks wrong with it, a sentence each; it is kept all the same. */
  readonly advice: readonly string[];
  /** Where its file says it was taken: a hint to ask about, never its position. */
  readonly filePosition: Position | null;
  /** When the server acknowledged its hash; null: it is here only. */
  readonly storedAt: string | null;
  /** Whether its time, taken by a clock that was wrong, is the server's by now. */
  readonly isClockMended?: boolean;
  /** Why no run could answer; null where one did, or none was asked yet. */
  readonly problem: string | null;
}

/** What there is to send. */
export type ItemKind = 'paddock' | 'visit' | 'photo' | 'cut';

/** Something that the server does not have yet, or not as it is here. */
export interface OutboxItem {
  /** `kind/id`: a record that changes twice before it is sent is sent once. */
  readonly key: string;
  readonly kind: ItemKind;
  readonly id: string;
  /** Grows with every change: what changes while it is sent stays to be sent. */
  readonly version: number;
  readonly since: string;
  /** Why the server refused it, as it said; null: not asked, or not reached. */
  readonly refused: string | null;
  /** The fields that were changed since the server had it; absent: it is sent as a whole. */
  readonly edits?: FieldEdits;
}

/** Everything that is kept, by store. */
export interface Kept {
  readonly paddocks: readonly Paddock[];
  readonly visits: readonly Visit[];
  readonly photos: readonly KeptPhoto[];
  readonly estimates: readonly Estimate[];
  readonly cuts: readonly Cut[];
  readonly outbox: readonly OutboxItem[];
  readonly settings: readonly Setting[];
}

/** A value under a name: settings, drafts, and what is known of the server. */
export interface Setting {
  readonly name: string;
  readonly value: unknown;
}

/** A file, whole. */
export interface KeptFile {
  readonly id: string;
  readonly blob: Blob;
}

/** What is written together or not at all. */
export interface Changes {
  readonly put?: { readonly [Store in keyof Kept]?: Kept[Store] };
  readonly files?: readonly KeptFile[];
  readonly thumbs?: readonly KeptFile[];
  readonly drop?: { readonly [Store in keyof Kept | 'files' | 'thumbs']?: readonly string[] };
}

export const keyOf = (kind: ItemKind, id: string): string => `${kind}/${id}`;
