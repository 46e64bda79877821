import type { RunErrors } from '../../farm/index.ts';

/** A run to be checked: a folder, or the zip of one to be unpacked first. */
export interface RunCheckTask {
  readonly run:
    | {
        readonly kind: 'folder';
        readonly folder: string;
        /** Whether the one who runs the server named it, so that it may use files elsewhere. */
        readonly isOwn: boolean;
      }
    | {
        readonly kind: 'archive';
        readonly archive: string;
        /** Folder to be made. */
        readonly into: string;
        /** Of all its files, unpacked. */
        readonly mostBytes: number;
      };
  readonly cache: string;
}

/** What a run that answers is. */
export interface CheckedRun {
  /** SHA-256 of its manifest, which holds those of its files. */
  readonly hash: string;
  readonly areaSquareMetres: number;
  readonly errors: RunErrors;
}
