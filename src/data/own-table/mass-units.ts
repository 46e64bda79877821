import type { MassUnit } from './roles.ts';

/** The unit of a column of masses. */
interface ColumnUnit {
  /** Place of the column. */
  readonly index: number;
  readonly unit: MassUnit;
  /** What there is to say of it. */
  readonly note: string | null;
  /** Whether neither a header nor a person names a unit. */
  readonly isSupposed?: boolean;
}

/** The unit of every column of masses by its place, with what there is to say of it. */
export class MassUnits {
  readonly #units: ReadonlyMap<number, ColumnUnit>;

  constructor(units: readonly ColumnUnit[]) {
    this.#units = new Map(units.map((unit) => [unit.index, unit]));
  }

  get(index: number): MassUnit | undefined {
    return this.#units.get(index)?.unit;
  }

  note(index: number): string | null {
    return this.#units.get(index)?.note ?? null;
  }

  isSupposed(index: number): boolean {
    return this.#units.get(index)?.isSupposed ?? false;
  }
}
