import { TARGET_NAMES, TARGET_WEIGHTS, type TargetName, type Targets } from '../../pasture/targets.ts';

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
