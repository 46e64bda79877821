import { z } from '@hono/zod-openapi';

/** Which part of a list is wanted. */
export const Part = z.object({
  after: z.string().max(200).optional().describe('`next` of the part before; absent: from the beginning'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(100)
    .describe('items at most; large ones end a part earlier'),
});

/** A part of a list, ordered by id or as the route says. */
export const partOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('give it as `after` for the part behind; null: this is the last'),
  });

/** Bytes of a part, about: a farm of drawn paddocks is read in several, none of which holds up the others that ask. */
const PART_BYTES = 2 * 2 ** 20;

/** How many of the rows that a part may have fit into it, at least one. @param bytes of each, in their order */
export function fitting(rows: readonly { readonly bytes: number }[]): number {
  let total = 0;
  const over = rows.findIndex(({ bytes }) => {
    total += bytes;
    return total > PART_BYTES;
  });
  return over < 0 ? Math.max(1, rows.length) : Math.max(1, over);
}

/** The part that rows are, of which one more than the limit was asked for. */
export function part<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  itemOf: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  return { items: shown.map(itemOf), next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
