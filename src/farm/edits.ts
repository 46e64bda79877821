import { z } from 'zod';
import { instantOf, Moment } from './identity.ts';

/** One field as a person changed it: what it was to them, what they made of it, and when. */
export interface FieldEdit {
  readonly from?: unknown;
  readonly to?: unknown;
  readonly at: string;
}

/** Changes of single fields of a record, by field: what two devices change of different fields is both kept. */
export type FieldEdits = Readonly<Record<string, FieldEdit>>;

/** When each field was last changed; a field that never was is not in it. */
export type EditTimes = Readonly<Record<string, string>>;

/** A field that two devices have changed without knowing of each other. */
export const Contested = z.strictObject({
  field: z.string(),
  lost: z.unknown().describe('what the earlier change had made of it'),
});
export type Contested = z.output<typeof Contested>;

/** The schema of {@link FieldEdits} of a record's fields. */
export function editsOf(shape: Readonly<Record<string, z.ZodType>>): z.ZodType<FieldEdits> {
  const fields = Object.entries(shape).map(([field, schema]) => {
    const edit = z.strictObject({
      from: schema.describe('what the field was where it was changed'),
      to: schema,
      at: Moment.describe('when it was changed'),
    });
    return [field, edit.optional()] as const;
  });
  return z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<FieldEdits>;
}

/** The fields in which a record is another than it was, as changes made at a moment. */
export function editsBetween(before: object, after: object, at: string): FieldEdits {
  const [old, next] = [before, after] as Readonly<Record<string, unknown>>[];
  return Object.fromEntries(
    Object.keys({ ...old, ...next })
      .filter((field) => !isSame(old?.[field], next?.[field]))
      .map((field) => [field, { from: old?.[field], to: next?.[field], at }]),
  );
}

/** Later changes on top of those that were not sent yet; a field is still changed from what it was at first. */
export function followedBy(first: FieldEdits, then: FieldEdits): FieldEdits {
  const from = (field: string, edit: FieldEdit): FieldEdit => ({
    ...edit,
    from: (first[field] ?? edit).from,
  });
  return {
    ...first,
    ...Object.fromEntries(Object.entries(then).map(([field, edit]) => [field, from(field, edit)])),
  };
}

/**
 * A record with changes that were made elsewhere, perhaps without knowing how it stands here. A field that was changed
 * here meanwhile too goes by which change was made later.
 */
export function withEdits<Item extends object>(
  record: Item,
  edits: FieldEdits,
  times: EditTimes,
): { record: Item; times: EditTimes; contested: Contested[] } {
  const next = { ...record } as Record<string, unknown>;
  const nextTimes: Record<string, string> = { ...times };
  const contested: Contested[] = [];
  for (const [field, { from, to, at }] of Object.entries(edits)) {
    const there = next[field];
    const known = times[field];
    const isLater = known === undefined || instantOf(at) >= instantOf(known);
    // A device whose clock is behind may have seen what it changes.
    const isContested = !isSame(there, from) && !isSame(there, to);
    if (isContested) contested.push({ field, lost: isLater ? there : to });
    if (isContested && !isLater) continue;
    next[field] = to;
    if (isLater) nextTimes[field] = at;
  }
  return { record: next as Item, times: nextTimes, contested };
}

const isSame = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other);
