/** A standard animal that others are counted in. */
export interface StockUnit {
  readonly name: 'AE' | 'DSE';
  /** What one is and eats, as it is printed beside every figure made with it. */
  readonly definition: string;
  /** Dry matter that one eats a day, kg. */
  readonly intake: number;
}

/** How much an adult equivalent eats, kg DM a day, by how productive the country is (MLA). */
const AE_INTAKES = { low: 8.5, moderate: 8, high: 7.5 } as const;

/** How productive the country is. */
export type Productivity = keyof typeof AE_INTAKES;

/** A dry sheep in one adult equivalent (MLA). */
export const DSE_PER_AE = 8.4;

/** Dry sheep equivalent: 0.95 kg DM a day (MLA). */
export const DSE: StockUnit = {
  name: 'DSE',
  definition: `1 DSE (dry sheep equivalent): a 50 kg wether at maintenance, 0.95 kg DM a day; ${DSE_PER_AE} DSE are 1 AE`,
  intake: 0.95,
};

/** Adult equivalent (MLA). */
export function adultEquivalent(productivity: Productivity): StockUnit {
  const intake = AE_INTAKES[productivity];
  return {
    name: 'AE',
    definition:
      '1 AE (adult equivalent): a 450 kg Bos taurus steer at maintenance that walks 7 km a day, 73 MJ ME a day of feed of ' +
      `55 % DMD; ${intake.toFixed(1)} kg DM a day on country of ${productivity} productivity`,
    intake,
  };
}

/** DSE an animal (Making More From Sheep, tool 12.14; the cow: MLA). */
export const DSE_RATINGS = {
  'wether, 50 kg': 1,
  'Merino ewe 50 kg, dry': 1,
  'Merino ewe 50 kg, pregnant with one': 1.3,
  'Merino ewe 50 kg, pregnant with two': 1.5,
  'Merino ewe 50 kg, lactating with one': 2.5,
  'Merino ewe 50 kg, lactating with two': 3.4,
  'dry cow, 500 kg': 8,
} as const satisfies Record<string, number>;

/** An animal that is counted in adult equivalents. */
export const CATTLE = 'steer, 450 kg (1 AE)';

/** Animals that a paddock's grazing is planned for. */
export const ANIMALS = [
  ...(Object.keys(DSE_RATINGS) as (keyof typeof DSE_RATINGS)[]),
  CATTLE,
] as const satisfies readonly string[];
