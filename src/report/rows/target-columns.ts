import { TARGET_NAMES, TARGET_WEIGHTS, type TargetName, type Targets } from '../../pasture/targets.ts';
import type { OutOfFoldRow } from '../../runs/results.ts';

/** How a report names and reads one of the five masses. */
export interface TargetColumn {
  readonly key: keyof Targets;
  readonly name: TargetName;
  readonly label: string;
  /** Weight of the target in the competition metric. */
  readonly weight: number;
}

const LABELS = { green: 'Green', dead: 'Dead', clover: 'Clover', gdm: 'GDM', total: 'Total' } as const;
const KEYS = Object.keys(LABELS) as (keyof Targets)[];

/** The five masses in the order every table and figure shows them. */
export const TARGET_COLUMNS: readonly TargetColumn[] = KEYS.map((key, index) => ({
  key,
  label: LABELS[key],
  name: TARGET_NAMES[index] ?? 'Dry_Total_g',
  weight: TARGET_WEIGHTS[index] ?? 0,
}));

export const TARGET_LABELS: readonly string[] = Object.values(LABELS);

/** The masses that a run was taught, which are those it has predicted; all where it has predicted no photo. */
export function learntColumns(rows: readonly Pick<OutOfFoldRow, 'predicted'>[]): readonly TargetColumn[] {
  const learnt = TARGET_COLUMNS.filter(({ key }) =>
    rows.some(({ predicted }) => !Number.isNaN(predicted[key])),
  );
  return learnt.length > 0 ? learnt : TARGET_COLUMNS;
}

/** The mass that a report says most about: the total, or the one that counts most in the metric of those it has. */
export function mainColumn(columns: readonly TargetColumn[]): TargetColumn {
  return columns.reduce((best, column) => (column.weight > best.weight ? column : best));
}
