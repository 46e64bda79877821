import { z } from 'zod';

/** Degrees east, WGS 84. */
const NO_LONGITUDE = 'longitudes lie from -180 to 180 degrees east';
export const Longitude = z.number().min(-180, NO_LONGITUDE).max(180, NO_LONGITUDE);
/** Degrees north, WGS 84. */
const NO_LATITUDE = 'latitudes lie from -90 to 90 degrees north, and come after the longitude';
export const Latitude = z.number().min(-90, NO_LATITUDE).max(90, NO_LATITUDE);

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
