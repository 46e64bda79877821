import { z } from 'zod';
import { UsageError } from '../ground/errors.ts';
import { featureSetsOf, type Matrix, ONLY_SET } from '../ground/matrix.ts';
import {
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
  viewColumns,
} from '../vision/descriptors/index.ts';

const setName = z.union([z.string().min(1), z.int().min(0)]);

/**
 * Which columns a member of several sees: `all`; `each`, for one member of this kind a feature set; or feature sets by
 * name or place (from 0). `descriptors.contrast`, `.form` and `.scatter` are views of the descriptors.
 */
export const memberInput = z
  .union([setName, z.array(setName).min(1)])
  .default('all')
  .describe(
    'columns it sees: all; each (one such member a feature set); or sets by name or place from 0, ' +
      'descriptors.contrast, .form and .scatter too',
  );

export type MemberInput = z.output<typeof memberInput>;

const ALL = 'all';
const EACH = 'each';
const DESCRIPTORS = 'descriptors';

/** What is to be known of a member to place it. */
export interface ColumnMember {
  readonly input: MemberInput;
  readonly weight: number;
}

/** A member as the feature sets at hand make it: `each` has become one member a set. */
export interface PlacedMember {
  /** Place among the settings' members. */
  readonly member: number;
  /** Columns of the input it sees. */
  readonly columns: readonly number[];
  readonly weight: number;
  /** For the record: what it sees. */
  readonly label: string;
}

/**
 * Whether members read feature sets by names that only joined sets have. Where none does, all columns may as well be one
 * set.
 */
export const tellSetsApart = (members: readonly Pick<ColumnMember, 'input'>[]): boolean =>
  members.flatMap(({ input }) => input).some((name) => !NAMES_OF_ONE_SET.includes(name));

/** What a matrix without sets can be asked for. */
const NAMES_OF_ONE_SET: readonly (string | number)[] = [ALL, EACH, ONLY_SET, 0];

type Sets = ReturnType<typeof featureSetsOf>;

/**
 * The columns that each member sees of an input.
 *
 * @throws UsageError when a member names a feature set that is not there, or one twice
 */
export function placeMembers(members: readonly ColumnMember[], inputs: Matrix): PlacedMember[] {
  const sets = featureSetsOf(inputs);
  return members.flatMap(({ input, weight }, member) =>
    placesOf(input, sets).map((place) => ({ member, weight, ...place })),
  );
}

function placesOf(input: MemberInput, sets: Sets): Pick<PlacedMember, 'columns' | 'label'>[] {
  if (input === EACH) return sets.map((set) => ({ label: set.name, columns: columnsOf(set) }));
  if (input === ALL) return [{ label: ALL, columns: sets.flatMap(columnsOf) }];
  const names = [input].flat();
  const seen = new Map<string, string | number>();
  const columns = names.flatMap((name) => {
    const own = namedColumns(name, sets);
    const before = seen.get(own.join());
    if (before !== undefined) {
      const same = before === name ? 'twice' : `and ${name}, which are the same feature set`;
      throw new UsageError(`a member reads ${before} ${same}; name it once`);
    }
    seen.set(own.join(), name);
    return own;
  });
  return [{ label: names.join(' + '), columns }];
}

function namedColumns(name: string | number, sets: Sets): number[] {
  const set = sets.find((candidate, index) => candidate.name === name || index === name);
  if (set) return columnsOf(set);
  const view = viewOf(name);
  const descriptors = sets.find((candidate) => candidate.name === DESCRIPTORS);
  if (view && descriptors?.columns === DESCRIPTOR_NAMES.length) {
    return viewColumns(view).map((column) => descriptors.start + column);
  }
  const known = sets.map((candidate, index) => `${index} ${candidate.name}`).join(', ');
  throw new UsageError(`a member reads ${name}, but the feature sets are: ${known}`);
}

function viewOf(name: string | number): DescriptorView | undefined {
  const views = Object.keys(DESCRIPTOR_VIEWS) as DescriptorView[];
  return views.find((view) => `${DESCRIPTORS}.${view}` === name);
}

function columnsOf({ start, columns }: Sets[number]): number[] {
  return Array.from({ length: columns }, (_, index) => start + index);
}
