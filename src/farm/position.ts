import { z } from 'zod';

/** Degrees east, WGS 84. */
export const Longitude = z.number().min(-180).max(180);
/** Degrees north, WGS 84. */
export const Latitude = z.number().min(-90).max(90);

/** Where something was done, WGS 84, with how far the device may be off. */
export const Position = z.strictObject({
  longitude: Longitude.describe('degrees east, WGS 84'),
  latitude: Latitude.describe('degrees north, WGS 84'),
  accuracyMetres: z
    .number()
    .min(0)
    .nullable()
    .describe('radius that holds the place 95 times in 100, metres (as browsers give it); null: not known'),
});
export type Position = z.output<typeof Position>;
