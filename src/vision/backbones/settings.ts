import { z } from 'zod';
import type { Size } from './backbone.ts';

/** A whole number of at least 1: widths, depths, heads. */
export const countSchema = z.int().positive();

/** Height and width in pixels, or one number for both. */
export const sizeSchema = z
  .union([countSchema.transform((side): Size => [side, side]), z.tuple([countSchema, countSchema])])
  .transform(([height, width]): Size => [height, width]);
