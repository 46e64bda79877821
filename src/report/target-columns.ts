import { TARGET_NAMES, TARGET_WEIGHTS, type TargetName, type Targets } from '../pasture/targets.ts';

/** How a report names and reads one of the five masses. */
export interface TargetColumn {
  readonly key: keyof Targets;
  readonly name: TargetName;
  readonly label: string;
  /** Weight of the target in the competition metric. */
  readonly weight: number;
}

const LABELS: readonly { readonly key: keyof Targets; readonly label: string }[] = [
  { key: 'green', label: 'Green' },
  { key: 'dead', label: 'Dead' },
  { key: 'clover', label: 'Clover' },
  { key: 'gdm', label: 'GDM' },
  { key: 'total', label: 'Total' },
];

/** The five masses in the order every table and figure shows them. */
export const TARGET_COLUMNS: readonly TargetColumn[] = TARGET_NAMES.map((name, index) => ({
  key: LABELS[index]?.key ?? 'total',
  label: LABELS[index]?.label ?? name,
  name,
  weight: TARGET_WEIGHTS[index] ?? 0,
}));
