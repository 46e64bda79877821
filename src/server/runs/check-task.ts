import { z } from 'zod';
import { ErrorRecord } from '../../farm/index.ts';
import { byMass } from '../../pasture/targets.ts';

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

const Records = z.strictObject(byMass(() => ErrorRecord.nullable()));

/** How a run errs, grams on its frame; null of a mass that it does not predict. */
export const RunErrors = z.strictObject({
  /** Of what it says by the photo alone. */
  photo: Records,
  /** Of what it says where it is told the sward's height; null of a run that reads none. */
  height: Records.nullable(),
});
export type RunErrors = z.output<typeof RunErrors>;

/** What a run that answers is. */
export interface CheckedRun {
  /** SHA-256 of its manifest, which holds those of its files. */
  readonly hash: string;
  readonly areaSquareMetres: number;
  readonly errors: RunErrors;
}
