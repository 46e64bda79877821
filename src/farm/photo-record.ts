import { z } from 'zod';
import { FrameArea } from './frame.ts';
import { Moment, Sha256, Uuid } from './identity.ts';
import { Position } from './position.ts';
import { SwardHeight } from './sward-height.ts';

/** A photo of a frame, and what only the person who took it knows. */
export const PhotoRecord = z.strictObject({
  id: Uuid,
  visitId: Uuid.nullable().describe('null until it is known which paddock it shows'),
  sha256: Sha256,
  capturedAt: Moment,
  position: Position.nullable().describe(
    'at the shutter, never where it is sent from; null: ask for the paddock',
  ),
  frameAreaSquareMetres: FrameArea,
  height: SwardHeight.nullable().describe('null: not measured'),
});
export type PhotoRecord = z.output<typeof PhotoRecord>;

/** Whether a run is told the same of both: what it says of the one it would say of the other. */
export const isAskedAlike = (one: PhotoRecord, other: PhotoRecord): boolean =>
  one.sha256 === other.sha256 &&
  one.frameAreaSquareMetres === other.frameAreaSquareMetres &&
  one.height?.centimetres === other.height?.centimetres &&
  one.height?.method === other.height?.method;
