import { z } from 'zod';

/** What a device calls a record that it makes, so that sending it twice makes it once. */
export const Uuid = z
  .uuid()
  // The same whether a device writes it in capitals (RFC 9562, 4).
  .toLowerCase()
  .describe('made by the device that makes the record');

/** SHA-256 of contents, as 64 hexadecimal digits in lower case. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'give a SHA-256 as 64 hexadecimal digits in lower case')
  .describe('SHA-256, 64 hexadecimal digits in lower case');

/** A moment with its offset from UTC: a day is a day where the paddock lies. */
export const Moment = z.iso
  .datetime({ offset: true })
  .describe('a moment in ISO 8601 with its offset, as 2026-11-03T09:12:00+11:00');

/** Milliseconds since 1970 of a {@link Moment}. */
export const instantOf = (moment: string): number => Date.parse(moment);
