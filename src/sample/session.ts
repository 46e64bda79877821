import type { RandomStream } from '../ground/random.ts';
import type { GrassLook } from './blades.ts';
import type { CameraSetting } from './camera.ts';
import type { CloverLook } from './clover.ts';
import { linearFromHsv } from './colour.ts';
import type { LightSetting } from './light.ts';
import type { LitterLook } from './litter.ts';
import type { LucerneLook } from './lucerne.ts';
import type { SoilLook } from './soil.ts';
import { SPECIES_BY_STATE, type SpeciesKind, WHITE_CLOVER } from './species.ts';

/** One visit: a date in a State, one paddock, one weather, one camera. Plain data, so it can go to a worker. */
export interface Session {
  /** As in the tables, `2015/9/4`. */
  readonly date: string;
  readonly state: string;
  readonly species: string;
  /** Usual dry masses, grams a quadrat. */
  readonly greenGrams: number;
  readonly deadGrams: number;
  readonly cloverGrams: number;
  readonly grasses: readonly { readonly look: GrassLook; readonly share: number }[];
  readonly lucerne: { readonly look: LucerneLook; readonly share: number };
  readonly clover: CloverLook;
  readonly litter: LitterLook;
  readonly soil: SoilLook;
  readonly light: LightSetting;
  readonly camera: CameraSetting;
  readonly stamped: boolean;
}

/** States as often as the competition has them. */
const STATE_DECK = ['Tas', 'Vic', 'Tas', 'NSW', 'Vic', 'WA', 'Tas', 'Vic', 'NSW', 'Tas', 'Vic', 'Tas'];

/** Days of the year on which is sampled; none falls in March, as in the competition. */
const FIRST_DAY = 10;
const DAYS = 310;
const MARCH = { from: 60, days: 31 };
/** The competition's photos are of 2015; a very large sample goes on into later years. */
const FIRST_YEAR = 2015;
const VISITS_A_YEAR = 100;

/**
 * Lays out `count` sessions on different dates, each with its own look. States come in the competition's
 * proportions, and every fourth camera prints dates.
 */
export function planSessions(count: number, random: RandomStream): Session[] {
  const decks = new Map<string, SpeciesKind[]>();
  const stampOffset = random.integer(4);
  const days = spreadDays(count, random.fork('days'));
  const states = dealStates(count, random.fork('states'));
  return states.map((state, index) => {
    const day = days[index];
    if (day === undefined) throw new RangeError(`session ${index} has no day`);
    let deck = decks.get(state) ?? [];
    if (deck.length === 0)
      deck = random.fork(`species ${state} ${index}`).shuffled(SPECIES_BY_STATE[state] ?? []);
    const [kind, ...rest] = deck;
    decks.set(state, rest);
    if (kind === undefined) throw new RangeError(`no species grow in ${state}`);
    return planSession(state, day, kind, index % 4 === stampOffset, random.fork(`look ${index}`));
  });
}

function dealStates(count: number, random: RandomStream): string[] {
  const states: string[] = [];
  for (let round = 0; states.length < count; round++) {
    states.push(...random.fork(round).shuffled(STATE_DECK));
  }
  return states.slice(0, count);
}

interface Day {
  readonly year: number;
  readonly ofYear: number;
}

/** Different days, one drawn from each of equal spans of a year, in mixed order. */
function spreadDays(count: number, random: RandomStream): Day[] {
  const days: Day[] = [];
  for (let year = FIRST_YEAR; days.length < count; year++) {
    const visits = Math.min(VISITS_A_YEAR, count - days.length);
    const span = (DAYS - MARCH.days) / visits;
    for (let visit = 0; visit < visits; visit++) {
      // A day less than the span to choose from keeps neighbours apart.
      const day = FIRST_DAY + Math.floor(visit * span + random.uniform() * (span - 1));
      days.push({ year, ofYear: day >= MARCH.from ? day + MARCH.days : day });
    }
  }
  return random.shuffled(days);
}

function planSession(
  state: string,
  day: Day,
  kind: SpeciesKind,
  stamped: boolean,
  random: RandomStream,
): Session {
  const vary = (spread: number): number => Math.exp(spread * random.normal());
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  // 1 in January, −1 in July.
  const summer = Math.cos((2 * Math.PI * (day.ofYear - 15)) / 365);
  const tall = vary(0.33);
  const heightCm = Math.min(32, kind.heightCm * tall);
  const hueShift = -4 * summer + 3 * random.normal();
  const clearness = random.uniform() < 0.35 ? between(0.1, 0.35) : between(0.55, 0.95);
  const lean = [2 * Math.PI * random.uniform(), Math.min(0.8, heightCm / 30) * random.uniform()] as const;
  const grasses = kind.grasses.map(({ kind: grass, share }) => ({
    share,
    look: {
      ...grass,
      heightCm,
      lean,
      widthCm: grass.widthCm * vary(0.12) * (0.8 + 0.25 * Math.min(2, heightCm / 6)),
      hue: grass.hue + hueShift,
      saturation: grass.saturation * vary(0.06),
      value: grass.value * vary(0.08),
      gloss: grass.gloss * vary(0.2),
      stems: Math.min(0.5, grass.stems * (summer > 0 ? 3 : 1)),
      yellowing: Math.min(0.6, Math.max(0.03, 0.15 + 0.2 * summer + 0.08 * random.normal())),
    },
  }));
  // Where none is meant to grow nothing of it is drawn, whatever its look.
  const clover = kind.clover ?? WHITE_CLOVER;
  return {
    date: dateText(day),
    state,
    species: kind.name,
    greenGrams: kind.greenGrams * tall ** 0.8 * vary(0.28),
    deadGrams: kind.deadGrams * vary(0.3) * (1 + 0.35 * summer),
    cloverGrams: kind.cloverGrams * vary(0.3),
    grasses,
    lucerne: {
      share: kind.lucerneShare,
      look: {
        heightCm,
        leafletCm: 1.45 * vary(0.1),
        hue: 98 + 5 * random.normal(),
        saturation: 0.36 * vary(0.1),
        value: 0.46 * vary(0.08),
        flowering: summer > 0.3 && random.uniform() < 0.6 ? 0.35 : 0,
        scatter: { tufted: 0.95, tuftRadius: 5, tufts: 5, patchiness: 0.2 },
      },
    },
    clover: {
      ...clover,
      heightCm: Math.min(14, 1 + 0.75 * heightCm),
      leafletCm: clover.leafletCm * vary(0.14) * (0.75 + 0.06 * heightCm),
      hue: clover.hue + 0.6 * hueShift,
      value: clover.value * vary(0.07),
      flowers: day.ofYear > 255 || day.ofYear < 40 ? 0.03 * random.uniform() : 0,
    },
    litter: {
      heightCm,
      lengthCm: Math.min(9, 1.6 + 0.32 * heightCm) * vary(0.15),
      widthCm: 0.2 + 0.008 * heightCm,
      hue: 38 + 2 * random.normal(),
      saturation: 0.38 * vary(0.08),
      value: 0.7 * vary(0.05),
      standing: Math.min(0.6, 0.25 + heightCm / 50),
      stalks: between(0.08, 0.22),
      scatter: { tufted: 0.3, tuftRadius: 4, tufts: 14, patchiness: 0.5 },
    },
    soil: soilOf(state, random),
    light: {
      elevation: Math.max(0.45, 0.85 + 0.3 * summer + 0.12 * random.normal()),
      azimuth: 2 * Math.PI * random.uniform(),
      clearness,
      warmth: clearness < 0.4 ? between(-0.8, 0.2) : between(-0.2, 0.9),
    },
    camera: {
      heightCm: between(100, 140),
      rotation: 0,
      tilt: [0, 0],
      shift: [0, 0],
      blur: between(0.2, 0.75),
      noise: between(0.006, 0.018),
      vignette: between(0.05, 0.35),
      saturation: between(0.9, 1.12),
      contrast: between(0.15, 0.6),
      exposure: vary(0.1),
      jpegQuality: 84 + random.integer(9),
    },
    stamped,
  };
}

/** Soil by State: brown loams in the south, red-brown inland, pale sand in the west. */
function soilOf(state: string, random: RandomStream): SoilLook {
  const [hue, saturation, value] = SOIL_COLOURS[state] ?? [26, 0.4, 0.4];
  return {
    colour: linearFromHsv(
      hue + 3 * random.normal(),
      saturation * Math.exp(0.12 * random.normal()),
      Math.min(0.75, value * Math.exp(0.12 * random.normal())),
    ),
    roughness: 0.15 + 0.75 * random.uniform(),
    stones: 5 + random.integer(40),
  };
}

const SOIL_COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  Tas: [27, 0.36, 0.4],
  Vic: [28, 0.34, 0.43],
  NSW: [22, 0.4, 0.46],
  WA: [30, 0.3, 0.56],
};

/** The day as the tables write it; all years are counted like the first, so that a leap day never shifts one. */
function dateText(day: Day): string {
  const date = new Date(Date.UTC(FIRST_YEAR, 0, day.ofYear));
  return `${day.year}/${date.getUTCMonth() + 1}/${date.getUTCDate()}`;
}
