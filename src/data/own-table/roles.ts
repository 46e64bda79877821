import { HEIGHT_UNITS, type HeightMethod, type HeightUnit } from '../../pasture/covariates.ts';
import { MASS_NAMES, type MassName } from '../../pasture/targets.ts';
import { kilogramsPerHectareToGrams } from '../../pasture/units.ts';
import { visibleText } from '../missing.ts';
import { isOneEdit } from '../spellings.ts';

/** What a column may be, besides one of the five masses. */
const FACTS = ['photo', 'date', 'state', 'site', 'paddock', 'species', 'height', 'ndvi'] as const;

/** In a table with one row a photo and mass: which mass a row is of, and how much. */
const LONG = ['component', 'value'] as const;

/** What a column of a table is; by these names `--columns` maps. */
export const COLUMN_ROLES = [...FACTS, ...MASS_NAMES, ...LONG] as const;
/** One of {@link COLUMN_ROLES}. */
export type ColumnRole = (typeof COLUMN_ROLES)[number];

/** Units that masses come in. */
export const MASS_UNITS = ['g', 'g/m2', 'kg/ha', 't/ha'] as const;
/** Grams on the frame, grams a square metre, kilograms or tonnes a hectare. */
export type MassUnit = (typeof MASS_UNITS)[number];

/** A header as it was understood. */
export interface RecognisedHeader {
  readonly role: ColumnRole;
  readonly unit: MassUnit | HeightUnit | null;
  /** How usual the name is: of two columns for one role, the one with the lower rank has it. */
  readonly rank: number;
  /** Of heights: how they were measured, where the header says so. */
  readonly method?: HeightMethod | null;
}

/** A mass in grams on the frame. */
export function gramsOf(value: number, unit: MassUnit, areaSquareMetres: number): number {
  if (unit === 'g') return value;
  if (unit === 'g/m2') return value * areaSquareMetres;
  return kilogramsPerHectareToGrams(unit === 't/ha' ? 1_000 * value : value, areaSquareMetres);
}

/** Names of columns that are no masses, by how usual they are. */
const NAMES: Readonly<Record<(typeof FACTS)[number] | (typeof LONG)[number], readonly string[]>> = {
  photo: [
    'photo|photos|photo file|photo name|photo filename|photo path|image|images|image path|image file|image name|' +
      'image filename|file|files|filename|file name|file path|filepath|picture|pic|img|img path|img name|jpg|jpeg',
    'photo id|photo no|photo number|photo nr|image id|image no|image number|img id|imageid|photoid|picture id|media',
    'bild|bilddatei|bildname|foto|fotodatei|datei|dateiname|fichier|nom de fichier|imagen|fotografia|archivo|imagem|arquivo',
    'sample id|sampleid|id|quadrat id|sample|sample name|name|quadrat|quadrat no|quadrat number|label',
  ],
  date: [
    'sampling date|sample date|date sampled|sampled|sampled on|sampled at|date of sampling|cut date|date cut|' +
      'date of cut|cut on|harvest date|date harvested|date of harvest|harvested|date collected|collection date|' +
      'collected|date of collection|visit date|date of visit|survey date|measurement date|date measured|measured on',
    'date|datetime|date time|date taken|photo date|image date|date of photo',
    'datum|schnittdatum|erntedatum|probedatum|probenahmedatum|aufnahmedatum|date de coupe|date de prelevement|' +
      'date de recolte|fecha|fecha de corte|fecha de muestreo|data|data de corte|data do corte|data da coleta',
    'timestamp|time|day|visit|taken|taken at',
  ],
  state: ['state', 'province|region|territory', 'bundesland|estado|provincia'],
  site: [
    'site|site name|site id|farm|farm name|property|property name|location|location name|station',
    'place',
    'standort|betrieb|hof|ort|lieu|exploitation|ferme|sitio|finca|lugar|fazenda|local',
  ],
  paddock: [
    'paddock|paddock name|paddock id|field|field name|field id|plot|plot id|plot name|block',
    'koppel|weide|schlag|parzelle|parcelle|pature|paturage|potrero|parcela|piquete|talhao',
  ],
  species: [
    'species|pasture species|dominant species|pasture type|species composition',
    'pasture|composition|sward|sward type|mix|botanical composition|vegetation',
    'art|pflanzenart|espece|especie|especies',
  ],
  height: [
    'height|pasture height|sward height|height ave|ave height|average height|height average|mean height|height mean|' +
      'avg height|height avg|plate height|compressed height|canopy height',
    'ht',
    'hohe|hoehe|wuchshohe|wuchshoehe|bestandeshohe|bestandeshoehe|hauteur|hauteur de l herbe|altura|altura del pasto|' +
      'altura do pasto',
  ],
  ndvi: [
    'ndvi|pre gshh ndvi|gshh ndvi|greenseeker|greenseeker ndvi|ndvi greenseeker|mean ndvi|ndvi mean|ave ndvi',
  ],
  component: [
    'target name|component|fraction|mass type|biomass component|component name|trait',
    'target|variable|part|type',
  ],
  value: ['value|target|amount|dry weight|dry mass|weight|mass|measurement|result'],
};

const ROLE_OF_NAME: ReadonlyMap<string, { readonly role: ColumnRole; readonly rank: number }> = new Map(
  Object.entries(NAMES).flatMap(([role, tiers]) =>
    tiers.flatMap((names, rank) =>
      names.split('|').map((name) => [name, { role: role as ColumnRole, rank }] as const),
    ),
  ),
);

/** Words that a mass may have besides, which say nothing about which of the five it is. */
const FILLING = new Set(
  (
    'dry dm matter mass masses weight wt biomass pasture herbage yield sorted oven od drymatter dryweight component fraction ' +
    'tm ts trockenmasse trockensubstanz trockengewicht masse gewicht biomasse ms matiere seche sec poids de la ' +
    'materia seca seco peso biomasa biomassa massa'
  ).split(' '),
);
/** Of these, words that stand for dry matter on their own, and so for all of it. */
const DRY = (
  'dry dm biomass herbage yield drymatter dryweight tm ts trockenmasse trockensubstanz trockengewicht biomasse ms seche sec ' +
  'seca seco biomasa biomassa'
).split(' ');

/** What is left of the name of a mass without filling words. */
const MASS_OF_WORDS: ReadonlyMap<string, MassName> = new Map(
  (
    [
      [
        'green',
        'green|grass|green grass|grass green|green herbage|greens|grun|gruen|gras|vert|verte|herbe verte|graminees|verde|' +
          'pasto verde|graminea|gramineas|capim',
      ],
      [
        'dead',
        'dead|senesced|senescent|dead material|dead grass|standing dead|dead standing|brown|dead litter|' +
          'abgestorben|abgestorbenes|totmaterial|totes material|abgestorbenes material|mort|morte|senescente|muerto|muerta|' +
          'material muerto|morto|morta|material morto',
      ],
      [
        'clover',
        'clover|clovers|legume|legumes|subclover|sub clover|white clover|clover legume|clover green|green clover|klee|' +
          'leguminosen|trefle|legumineuses|trebol|trevo|leguminosas',
      ],
      ['gdm', 'gdm|total green|green total|live|total live|live total|all green'],
      [
        'total',
        'total|all|sum|feed on offer|foo|total foo|total above ground|above ground|aboveground|agb|total all|gesamt|insgesamt|summe|' +
          'totale|somme|suma|soma',
      ],
    ] as const
  ).flatMap(([mass, names]) => names.split('|').map((name) => [name, mass] as const)),
);

/** Dry matter, in a unit. */
const DM = '(?:dm|tm|ts|ms)';
const AREA = String.raw`(?: ?(?:\/|per) ?| )?(?:ha|hectare)(?: ?\^?-1)?`;
const UNITS: readonly (readonly [MassUnit, RegExp])[] = [
  ['kg/ha', unitPattern(`(?:kg|kgs|kilograms?)(?: ?${DM})?${AREA}(?: ?${DM})?`)],
  ['t/ha', unitPattern(`(?:t|tonnes?|tons?|mg)(?: ?${DM})?${AREA}(?: ?${DM})?`)],
  [
    'g/m2',
    unitPattern(
      String.raw`(?:g|gm|grams?)(?: ?${DM})?(?: ?(?:\/|per) ?| )?(?:m ?\^?-?2|sqm|qm|sq m|square met(?:re|er))(?: ?${DM})?`,
    ),
  ],
  [
    'g',
    unitPattern(
      String.raw`(?:g|gm|gms|gr|grams?)(?: ${DM})?(?: ?(?:\/|per) ?(?:quadrat|frame|sample|plot|photo))?`,
    ),
  ],
];
const LENGTHS: readonly (readonly [HeightUnit, RegExp])[] = [
  ['cm', unitPattern('(?:cm|centimet(?:re|er)s?)')],
  ['mm', unitPattern('(?:mm|millimet(?:re|er)s?)')],
  ['m', unitPattern('(?:m|met(?:re|er)s?)')],
  ['clicks', unitPattern('clicks?')],
];

/** Words by which a header or a cell says how a height was measured. */
const METHODS: readonly (readonly [HeightMethod, RegExp])[] = [
  ['falling-plate', /\b(?:falling|drop(?:ped)?)[ -]?(?:plate|dis[ck])(?: ?met(?:re|er))?\b/],
  ['rising-plate', /\brising[ -]?plate(?: ?met(?:re|er))?\b|\brpm\b|\bplate ?met(?:re|er)\b/],
  ['ruler', /\b(?:ruler|tape|sward stick|metre stick|meter stick|yardstick|uncompressed)\b/],
];

/** The competition's column: a falling plate's. */
const COMPETITION_HEIGHT = 'Height_Ave_cm';

/** How a height was measured, by the words of a text, with what is left of it; null where it says nothing of that. */
function methodIn(text: string): { readonly method: HeightMethod; readonly rest: string } | null {
  const plain = plainHeader(text);
  for (const [method, pattern] of METHODS) {
    if (pattern.test(plain)) return { method, rest: plain.replace(pattern, ' ') };
  }
  return null;
}

/** How a height was measured, by a word; null where it is none of {@link METHODS}. */
export const heightMethodNamed = (text: string): HeightMethod | null => methodIn(text)?.method ?? null;

/** A header of heights, which may say how they were measured: `Height (ruler, cm)`, `RPM clicks`. */
function recognisedHeight(header: string): RecognisedHeader | null {
  const found = methodIn(header);
  for (const { name, unit } of readings(found?.rest ?? header, LENGTHS)) {
    const known = ROLE_OF_NAME.get(name);
    const isHeight =
      known?.role === 'height' || (name === '' && found !== null) || (name === '' && unit === 'clicks');
    if (!isHeight) continue;
    // Only a rising plate's counter clicks.
    const counted = unit === 'clicks' ? 'rising-plate' : null;
    const method = header === COMPETITION_HEIGHT ? 'falling-plate' : (found?.method ?? counted);
    return { role: 'height', unit, rank: known?.rank ?? 0, method };
  }
  return null;
}

function unitPattern(unit: string): RegExp {
  return new RegExp(`(?:^|(?<=[^a-z0-9]))${unit}$`);
}

/** The unit that a text is, in whatever spelling; null where it is none. */
export function massUnit(text: string): MassUnit | null {
  const plain = plainHeader(text);
  return UNITS.find(([, pattern]) => pattern.exec(plain)?.[0] === plain)?.[0] ?? null;
}

/** What a column is by its header, with the unit that stands in brackets or at the end; null where nobody knows. */
export function recognisedHeader(header: string): RecognisedHeader | null {
  for (const { name, unit } of readings(header, UNITS)) {
    const mass = massOf(name, unit);
    if (mass) return { role: mass, unit, rank: 0 };
    const known = ROLE_OF_NAME.get(name);
    if (known?.role === 'height') continue;
    if (known && (unit === null || known.role === 'value')) return { ...known, unit };
  }
  return recognisedHeight(header);
}

/** Units of masses that sward does not know, at the end of a header. */
const OTHER_UNIT = /^(.+?) ((?:g|gm|grams?|mg|kg|kgs|t|tons?|tonnes?|lbs?|pounds?|oz|ounces?|cwt)\b.*)$/;
/** What stands in brackets where no dry mass is meant. */
const NO_MASS = /\b(?:percent|pct|fresh|wet|fw|frisch|frais|fraiche|humedo|count|n|no|sd|se|cv)\b/;

/** What a header nearly says. */
interface UnclearHeader {
  readonly role: ColumnRole;
  readonly what: string;
  readonly remedy: string;
}

/** What a header says that is not understood, of a mass or height in an unknown unit: `green (g/0.25 m2)`; null: neither. */
export function unclearHeader(header: string): UnclearHeader | null {
  const bracket = /^(.*?)[([{]([^)\]}]*)[)\]}](.*)$/.exec(header);
  const ending = OTHER_UNIT.exec(plainHeader(header));
  const [name = '', unit = ''] = bracket
    ? [`${bracket[1]} ${bracket[3]}`, bracket[2]]
    : [ending?.[1] ?? header, ending?.[2]];
  const words = wordsOf(plainHeader(name));
  // German for what is dead, and English short for all.
  if (words === 'tot') {
    const remedy = `say which, as --columns total="${header}" or dead="${header}"`;
    return { role: 'total', what: 'may be the total, or what is dead', remedy };
  }
  const misspelt = misspeltMass(header);
  if (misspelt) return misspelt;
  if (unit.trim() === '' || NO_MASS.test(wordsOf(plainHeader(unit)))) return null;
  const role = massOf(words, null) ?? (ROLE_OF_NAME.get(words)?.role === 'height' ? 'height' : null);
  if (role === null) return null;
  const units = role === 'height' ? Object.keys(HEIGHT_UNITS) : MASS_UNITS;
  return {
    role,
    what: `says ${role} in a unit that sward does not know (${unit.trim()})`,
    remedy: `give it in ${units.join(', ')}; if it is in one of these, say which by --columns ${role}:${units[0]}="${header}"`,
  };
}

/** Words for plants that are not dried. */
const FRESH = /\b(?:fresh|wet|fw|frisch|frais|fraiche|humedo)\b/g;

/** A header of a mass of fresh plants, `green fresh weight (g)`: what it may be taken for; null of others. */
export function freshHeader(header: string): UnclearHeader | null {
  const plain = plainHeader(header);
  const dried = plain.replace(FRESH, ' ');
  if (dried === plain) return null;
  for (const { name, unit } of readings(dried, UNITS)) {
    const role = massOf(name, unit);
    if (role)
      return { role, what: 'is of fresh plants, and sward reads dry masses', remedy: 'dry and weigh them' };
  }
  return null;
}

/** Names shorter than this are one letter away from too much else. */
const LEAST_MISSPELT = 4;

/** A header that is one letter away from a mass in a unit of masses, or called dry: `gren (kg/ha)`. */
function misspeltMass(header: string): UnclearHeader | null {
  for (const { name, unit } of readings(header, UNITS)) {
    const words = name.split(' ');
    if (unit === null && !words.some((word) => FILLING.has(word))) continue;
    const said = words.filter((word) => !FILLING.has(word)).join(' ');
    const near = [...MASS_OF_WORDS].find(
      ([known]) => Math.min(known.length, said.length) >= LEAST_MISSPELT && isOneEdit(said, known),
    );
    if (!near) continue;
    const [known, role] = near;
    return {
      role,
      what: `is no name that sward knows, and near "${known}"`,
      remedy: `rename it if that is meant, or say so by --columns ${role}="${header}"`,
    };
  }
  return null;
}

/** Whether a header says that it is of dry matter. */
export const saysDry = (header: string): boolean =>
  /\b(?:dry|dried|oven|od|dm|foo|feed on offer|tm|ts|ms|trocken\w*|seche|sec|seca|seco)\b/.test(
    wordsOf(plainHeader(header)),
  );

/** Whether a header says that something was weighed, dry or not. */
export const saysWeight = (header: string): boolean =>
  /\b(?:weights?|wt|mass|masses|gewicht|masse|poids|peso)\b/.test(wordsOf(plainHeader(header)));

/** Whether a header is that of a share of dry matter, or of a bag's weight: what stands beside weights of fresh plants. */
export const goesWithFresh = (header: string): boolean =>
  /\b(?:dry matter|dm|tm|ts|ms|trocken\w*|moisture|water)\b.*\b(?:percent|pct|content)\b|\bpercent (?:dry matter|dm|tm|ts|ms|moisture)\b|\btare\b|\b(?:bag|gross)\b.*\b(?:g|gm|grams?|kg|weight|wt|mass)\b|\bweight of (?:the )?bag\b/.test(
    wordsOf(plainHeader(header)),
  );

/** Which mass a word of a long table is, with the unit where it has one; null where it is none. */
export function recognisedMass(
  text: string,
): { readonly mass: MassName; readonly unit: MassUnit | null } | null {
  for (const { name, unit } of readings(text, UNITS)) {
    const mass = massOf(name, unit);
    if (mass) return { mass, unit };
  }
  return null;
}

/** In how many ways a header may be a name with a unit: with the longest unit first, and without one. */
function* readings<Unit extends string>(
  header: string,
  units: readonly (readonly [Unit, RegExp])[],
): Generator<{ readonly name: string; readonly unit: Unit | null }> {
  const bracket = /^(.*?)[([{]([^)\]}]*)[)\]}](.*)$/.exec(header);
  if (bracket) {
    const words = plainHeader(bracket[2] ?? '').split(' ');
    // `(g dry weight)` is a unit with words that say nothing more.
    const inside = words.filter((word) => !FILLING.has(word)).join(' ');
    const unit = units.find(([, pattern]) => pattern.test(inside));
    const name = wordsOf(plainHeader(`${bracket[1]} ${bracket[3]}`));
    const rest = unit ? wordsOf(inside.replace(unit[1], '')) : '';
    if (unit) yield { name: [name, rest].filter(Boolean).join(' '), unit: unit[0] };
  }
  const plain = plainHeader(header.replaceAll(/[()[\]{}]/g, ' '));
  for (const [unit, pattern] of units) {
    if (pattern.test(plain)) yield { name: wordsOf(plain.replace(pattern, '')), unit };
  }
  yield { name: wordsOf(plain), unit: null };
}

/** A header in small letters without accents, with single blanks for underlines, dots and dashes between words. */
function plainHeader(header: string): string {
  return visibleText(header)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
    .replaceAll(/[\u2212\u2010-\u2015]/g, '-')
    .replaceAll('%', ' percent ')
    .replaceAll(/[_.,:;|*]+|-(?!\d)/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const wordsOf = (text: string): string => text.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** A name of nothing but filling words is that of all dry matter, where it says so or has a unit of yields. */
function massOf(name: string, unit: string | null): MassName | null {
  if (name === 'green dry matter') return 'gdm';
  const words = name.split(' ');
  const core = words.filter((word) => !FILLING.has(word)).join(' ');
  if (core !== '') return MASS_OF_WORDS.get(core) ?? null;
  const isYield = unit !== null && unit !== 'g';
  return isYield || words.some((word) => DRY.includes(word)) ? 'total' : null;
}

/** Whether a column says row by row how heights were measured. */
export const saysHeightMethod = (header: string): boolean =>
  /^(?:height )?(?:method|measured (?:with|by)|instrument)$/i.test(visibleText(header));
