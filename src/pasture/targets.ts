/** The five masses of the competition, in the order sward keeps them in every table. All in grams a quadrat. */
export const TARGET_NAMES = ['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g'] as const;

/** One of {@link TARGET_NAMES}. */
export type TargetName = (typeof TARGET_NAMES)[number];

/**
 * Weight of each target's rows in the competition metric, in the order of {@link TARGET_NAMES}
 * (CSIRO Image2Biomass, evaluation page).
 */
export const TARGET_WEIGHTS: readonly number[] = [0.1, 0.1, 0.1, 0.2, 0.5];

/**
 * The three sorted fractions of a cut, dry, in grams. Everything else is a sum of them. The two `never`
 * members keep a full {@link Targets} from being passed where components are meant.
 */
export interface Components {
  readonly green: number;
  readonly dead: number;
  readonly clover: number;
  readonly gdm?: never;
  readonly total?: never;
}

/** All five masses of one quadrat, in grams: GDM (green dry matter) = green + clover, total = GDM + dead. */
export interface Targets {
  readonly green: number;
  readonly dead: number;
  readonly clover: number;
  readonly gdm: number;
  readonly total: number;
}

/** The five masses as an array in the order of {@link TARGET_NAMES}. */
export function targetsToArray(targets: Targets): [number, number, number, number, number] {
  return [targets.green, targets.dead, targets.clover, targets.gdm, targets.total];
}

/** Reads five masses in the order of {@link TARGET_NAMES}, from `offset` of a flat table on. */
export function targetsFromArray(values: ArrayLike<number>, offset = 0): Targets {
  const at = (index: number): number => {
    const value = values[offset + index];
    if (value === undefined) throw new RangeError(`five masses are needed from offset ${offset}`);
    return value;
  };
  return { green: at(0), dead: at(1), clover: at(2), gdm: at(3), total: at(4) };
}

/** Whether `name` is one of the five targets. */
export function isTargetName(name: string): name is TargetName {
  return (TARGET_NAMES as readonly string[]).includes(name);
}

/** The five masses as {@link Targets} names them, in the order of {@link TARGET_NAMES}. */
export const MASS_NAMES = ['green', 'dead', 'clover', 'gdm', 'total'] as const satisfies (keyof Targets)[];

/** One of {@link MASS_NAMES}. */
export type MassName = (typeof MASS_NAMES)[number];

/** One value a mass. */
export type ByMass<Value> = Readonly<Record<MassName, Value>>;

/** Makes one value a mass. */
export function byMass<Value>(value: (mass: MassName, index: number) => Value): ByMass<Value> {
  const entries = MASS_NAMES.map((mass, index) => [mass, value(mass, index)] as const);
  return Object.fromEntries(entries) as Record<MassName, Value>;
}

/** Each mass times a factor. */
export const scaledMasses = (masses: ByMass<number>, factor: number): ByMass<number> =>
  byMass((mass) => masses[mass] * factor);

/** Values as files name them: under the names of the competition. */
export function underTargetNames<Value>(values: ByMass<Value>): Record<TargetName, Value> {
  const entries = TARGET_NAMES.map((name, index) => [name, values[MASS_NAMES[index] as MassName]] as const);
  return Object.fromEntries(entries) as Record<TargetName, Value>;
}
