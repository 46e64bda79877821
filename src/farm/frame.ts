import { z } from 'zod';

/** Area within a frame, m²: 0.1, 0.21 and 0.25 are usual, 1 in sparse country. */
export const FrameArea = z
  .number()
  .min(0.001)
  .max(10)
  .describe('area within the frame, m² (0.21 for 70 × 30 cm, 0.25 for 50 × 50 cm)');

/** Height that a sward is cut at, cm; 0 is ground level. Nobody can tell it afterwards, so it is always asked for. */
export const CuttingHeight = z
  .number()
  .min(0)
  .max(30)
  .describe('height of the stubble left, cm; 0 is ground level');
