import { z } from 'zod';

/** Whether a figure was weighed, counted or given, or is what a model says. What is made of both is modelled. */
export const Source = z
  .enum(['measured', 'modelled'])
  .describe('measured: weighed, counted or given by a person; modelled: a model has part in it');
export type Source = z.output<typeof Source>;

/** A figure with what it was made of. */
export const Figure = z.strictObject({
  value: z.number(),
  /** Where the value lies, with the coverage that is asked for; absent where it is not known. */
  low: z.number().optional(),
  high: z.number().optional(),
  unit: z.string(),
  source: Source,
  from: z.array(z.string()).min(1).describe('what it was made of, in words'),
});
export type Figure = z.output<typeof Figure>;

/** What a figure made of others is: measured only where all of them are. */
export function sourceOf(parts: readonly { readonly source: Source }[]): Source {
  return parts.every(({ source }) => source === 'measured') ? 'measured' : 'modelled';
}

/** What others were made of, each said once. */
export function fromAll(parts: readonly { readonly from: readonly string[] }[]): string[] {
  return [...new Set(parts.flatMap(({ from }) => from))];
}
