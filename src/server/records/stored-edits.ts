import { z } from 'zod';
import {
  Contested,
  type EditTimes,
  editsBetween,
  editsOf,
  type FieldEdits,
  instantOf,
  withEdits,
} from '../../farm/index.ts';
import { stored } from '../storage/stored.ts';

/** The body of a request that changes single fields: each as it was to the device, what it is to be, and when. */
export function fieldEdits({ id: _, ...fields }: Readonly<Record<string, z.ZodType>>): z.ZodType<FieldEdits> {
  return editsOf(fields);
}

/** What is answered of changes to single fields. */
export const edited = <Item extends z.ZodType>(record: Item) =>
  z.strictObject({
    record,
    contested: z
      .array(Contested)
      .describe('fields that another device had changed too: the later change stays'),
  });

interface Row {
  readonly body: string;
  readonly changed: string;
}

/** A row with changes of single fields. A clock that is ahead counts as the server's. */
export function editedRow<Item extends object>(row: Row, edits: FieldEdits) {
  const now = new Date().toISOString();
  const inTime = Object.fromEntries(
    Object.entries(edits).map(([field, edit]) => [
      field,
      { ...edit, at: instantOf(edit.at) > instantOf(now) ? now : edit.at },
    ]),
  );
  return withEdits(stored<Item>(row.body), inTime, stored<EditTimes>(row.changed));
}

/** When the fields of a row were changed, after a whole record has taken its place. */
export function timesOfWhole(row: Row | undefined, record: object): string {
  if (!row) return '{}';
  const edits = editsBetween(stored<object>(row.body), record, new Date().toISOString());
  const times = Object.entries(edits).map(([field, { at }]) => [field, at] as const);
  return JSON.stringify({ ...stored<EditTimes>(row.changed), ...Object.fromEntries(times) });
}
