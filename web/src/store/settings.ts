import { z } from 'zod';
import { FrameArea } from '../../../src/farm/index.ts';
import { HEIGHT_METHODS } from '../../../src/pasture/covariates.ts';

/** Sides of frames, cm: rods of a few centimetres and of ten metres are mistyped. */
export const [LEAST_SIDE, LARGEST_SIDE] = [5, 500];

const Side = z.number().min(LEAST_SIDE).max(LARGEST_SIDE);

/** Width and depth within a frame, of an area that frames have. */
export const FrameSize = z
  .object({ widthCentimetres: Side, depthCentimetres: Side })
  .refine(
    ({ widthCentimetres: wide, depthCentimetres: deep }) =>
      FrameArea.safeParse((wide * deep) / 10_000).success,
  );

/** What a person sets once on a device. */
export const Settings = z.object({
  frame: z
    .object({ widthCentimetres: z.number(), depthCentimetres: z.number() })
    .default({ widthCentimetres: 70, depthCentimetres: 30 }),
  cuttingHeightCentimetres: z.number().nullable().default(null),
  /** As the last height was measured; null: none was yet, and none is supposed. */
  heightMethod: z.enum(HEIGHT_METHODS).nullable().default(null),
  theme: z.enum(['auto', 'light', 'dark']).default('auto'),
  /** Address of map tiles with {z}, {x} and {y}; empty: a map without any. */
  tiles: z.string().default(''),
});
export type Settings = z.output<typeof Settings>;

/** Area within the frame, m². */
export const frameArea = ({ frame }: Pick<Settings, 'frame'>): number =>
  Number(((frame.widthCentimetres * frame.depthCentimetres) / 10_000).toFixed(4));
