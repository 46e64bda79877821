import type { MassUnit } from './roles.ts';

/** The unit of every column of masses by its place, with what there is to say of it. */
export class MassUnits {
  readonly #units: ReadonlyMap<number, { readonly unit: MassUnit; readonly note: string | null }>;

  constructor(
    units: readonly { readonly index: number; readonly unit: MassUnit; readonly note: string | null }[],
  ) {
    this.#units = new Map(units.map(({ index, unit, note }) => [index, { unit, note }]));
  }

  get(index: number): MassUnit | undefined {
    return this.#units.get(index)?.unit;
  }

  note(index: number): string | null {
    return this.#units.get(index)?.note ?? null;
  }
}
