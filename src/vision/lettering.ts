/** A point of a stroke: x to the right, y down, in heights of a capital; the baseline is at y = 1. */
export type StrokePoint = readonly [x: number, y: number];

/** Lettering as pen strokes. */
export interface Lettering {
  /** One list of strokes a letter, placed in the line. */
  readonly letters: readonly (readonly (readonly StrokePoint[])[])[];
  /** From the left end of the first letter to the right end of the last, in heights of a capital. */
  readonly width: number;
}

/** Units of the drawings below: a capital is six high, small letters begin at two, the baseline is at six. */
const CAPITAL = 6;
const LETTER_GAP = 1.5;
const DEGREES_A_STEP = 20;

/**
 * Each letter's width and drawing. Strokes are parted by `|`; a stroke is a list of points `x,y` and arcs
 * `@cx,cy,rx,ry,from,to` (degrees, 0 to the right, 90 down), joined by straight lines.
 */
const DRAWINGS: Readonly<Record<string, readonly [width: number, drawing: string]>> = {
  '0': [4, '@2,3,2,3,0,360'],
  '1': [4, '0.9,1.3 2.3,0 2.3,6'],
  '2': [4, '@2,1.8,1.9,1.8,180,405 0,6 4,6'],
  '3': [4, '@1.9,1.5,1.6,1.5,200,450 @1.9,4.5,1.9,1.5,270,520'],
  '4': [4, '3,6 3,0 0,4.2 4,4.2'],
  '5': [4, '3.6,0 0.6,0 0.3,2.8 @1.9,4.1,2,1.9,225,510'],
  '6': [4, '@3.6,4.1,3.5,4.1,262,180|@2,4.1,1.9,1.9,0,360'],
  '7': [4, '0,0 4,0 1.4,6'],
  '8': [4, '@2,1.5,1.6,1.5,0,360|@2,4.5,1.95,1.5,0,360'],
  '9': [4, '@0.4,1.9,3.5,4.1,82,0|@2,1.9,1.9,1.9,0,360'],
  A: [4.2, '0,6 2.1,0 4.2,6|0.75,4 3.45,4'],
  B: [3.9, '0,0 0,6 2.2,6 @2.2,4.5,1.7,1.5,90,-90 0,3|0,0 2,0 @2,1.5,1.5,1.5,-90,90'],
  C: [4, '@2.2,3,2.2,3,-45,-315'],
  D: [4, '0,0 0,6 1.6,6 @1.6,3,2.4,3,90,-90 0,0'],
  E: [3.4, '3.4,0 0,0 0,6 3.4,6|0,3 2.8,3'],
  F: [3.3, '3.3,0 0,0 0,6|0,3 2.7,3'],
  G: [4.2, '@2.2,3,2.2,3,-45,-330 4.1,3.3 2.4,3.3'],
  H: [4, '0,0 0,6|4,0 4,6|0,3 4,3'],
  I: [0.2, '0.1,0 0.1,6'],
  J: [2.6, '2.6,0 2.6,4.4 @1.3,4.4,1.3,1.6,0,180'],
  K: [4, '0,0 0,6|3.8,0 0,3.8|1.3,2.6 4,6'],
  L: [3.2, '0,0 0,6 3.2,6'],
  M: [4.8, '0,6 0,0 2.4,4.4 4.8,0 4.8,6'],
  N: [4, '0,6 0,0 4,6 4,0'],
  O: [4.6, '@2.3,3,2.3,3,0,360'],
  P: [3.9, '0,6 0,0 2.2,0 @2.2,1.65,1.65,1.65,-90,90 0,3.3'],
  Q: [4.6, '@2.3,3,2.3,3,0,360|2.8,4.4 4.4,6.3'],
  R: [4, '0,6 0,0 2.2,0 @2.2,1.65,1.65,1.65,-90,90 0,3.3|2,3.3 4,6'],
  S: [3.8, '@1.9,1.5,1.75,1.5,-30,-270 @1.9,4.5,1.9,1.5,-90,150'],
  T: [4, '0,0 4,0|2,0 2,6'],
  U: [4, '0,0 0,4 @2,4,2,2,180,0 4,0'],
  V: [4.2, '0,0 2.1,6 4.2,0'],
  W: [5.8, '0,0 1.4,6 2.9,0.6 4.4,6 5.8,0'],
  X: [4, '0,0 4,6|4,0 0,6'],
  Y: [4.2, '0,0 2.1,3 4.2,0|2.1,3 2.1,6'],
  Z: [4, '0,0 4,0 0,6 4,6'],
  a: [3.2, '@1.6,4,1.6,2,0,360|3.2,2 3.2,6'],
  b: [3.2, '0,0 0,6|@1.6,4,1.6,2,0,360'],
  c: [3, '@1.7,4,1.7,2,-45,-315'],
  d: [3.2, '3.2,0 3.2,6|@1.6,4,1.6,2,0,360'],
  e: [3.3, '0.05,4 3.35,4 @1.7,4,1.65,2,0,-310'],
  f: [2.2, '@2,1.4,1.1,1.4,-80,-180 0.9,6|0,2.2 2,2.2'],
  g: [3.2, '@1.6,4,1.6,2,0,360|3.2,2 3.2,6.2 @1.6,6.2,1.6,1.7,0,150'],
  h: [3, '0,0 0,6|0,3.6 @1.5,3.6,1.5,1.6,180,360 3,6'],
  i: [0.2, '0.1,2 0.1,6|0.1,0.3 0.1,0.5'],
  j: [1.2, '1.1,2 1.1,6.4 @0.1,6.4,1,1.4,0,110|1.1,0.3 1.1,0.5'],
  k: [2.9, '0,0 0,6|2.7,2 0,4.4|1,3.6 2.9,6'],
  l: [0.2, '0.1,0 0.1,6'],
  m: [4.8, '0,2 0,6|0,3.5 @1.2,3.5,1.2,1.5,180,360 2.4,6|2.4,3.5 @3.6,3.5,1.2,1.5,180,360 4.8,6'],
  n: [3, '0,2 0,6|0,3.6 @1.5,3.6,1.5,1.6,180,360 3,6'],
  o: [3.4, '@1.7,4,1.7,2,0,360'],
  p: [3.2, '0,2 0,8|@1.6,4,1.6,2,0,360'],
  q: [3.2, '3.2,2 3.2,8|@1.6,4,1.6,2,0,360'],
  r: [2.2, '0,2 0,6|0,3.8 @1.7,3.8,1.7,1.7,180,290'],
  s: [2.8, '@1.4,3,1.3,1,-30,-270 @1.4,5,1.4,1,-90,150'],
  t: [2.2, '0.9,0.6 0.9,4.8 @2,4.8,1.1,1.2,180,80|0,2 2.1,2'],
  u: [3, '0,2 0,4.4 @1.5,4.4,1.5,1.6,180,0|3,2 3,6'],
  v: [3.2, '0,2 1.6,6 3.2,2'],
  w: [4.6, '0,2 1.1,6 2.3,2.4 3.5,6 4.6,2'],
  x: [3, '0,2 3,6|3,2 0,6'],
  y: [3.2, '0,2 1.6,6|3.2,2 1.2,7.2 0.2,7.8'],
  z: [3, '0,2 3,2 0,6 3,6'],
  ' ': [1.6, ''],
  '.': [0.2, '0.1,5.8 0.1,6'],
  ',': [0.4, '0.3,5.6 0,6.9'],
  ':': [0.2, '0.1,2.4 0.1,2.6|0.1,5.8 0.1,6'],
  ';': [0.4, '0.3,2.4 0.3,2.6|0.3,5.6 0,6.9'],
  '#': [3.6, '1.2,0.4 0.6,5.8|2.9,0.4 2.3,5.8|0.2,2.1 3.5,2.1|0,4.1 3.3,4.1'],
  "'": [0.2, '0.1,0 0.1,1.4'],
  '-': [2, '0,3.6 2,3.6'],
  '−': [3, '0,3.6 3,3.6'],
  '+': [3, '0,3.6 3,3.6|1.5,2.1 1.5,5.1'],
  '=': [3, '0,2.8 3,2.8|0,4.4 3,4.4'],
  '≥': [3, '0,1.2 3,2.9 0,4.6|0,6 3,6'],
  _: [3.4, '0,6.8 3.4,6.8'],
  '/': [2.6, '2.6,-0.4 0,6.6'],
  '(': [1.1, '@2.6,3,2.4,4.4,230,130'],
  ')': [1.1, '@-1.4,3,2.4,4.4,-50,50'],
  '%': [4.6, '@0.9,1.2,0.9,1.2,0,360|@3.7,4.8,0.9,1.2,0,360|4,0 0.6,6'],
  '²': [1.8, '@0.9,0.8,0.8,0.8,180,405 0,2.8 1.8,2.8'],
};

/** What stands for a letter that has no drawing: an empty box. */
const UNKNOWN: readonly [number, string] = [3.4, '0,0 3.4,0 3.4,6 0,6 0,0'];

/**
 * A line of text as pen strokes, the same on every machine whatever fonts it has. Letters, figures and the
 * marks of units are drawn; anything else becomes an empty box.
 */
export function lettering(text: string): Lettering {
  let x = 0;
  const letters = [...text].map((letter) => {
    const [width, drawing] = Object.hasOwn(DRAWINGS, letter) ? (DRAWINGS[letter] ?? UNKNOWN) : UNKNOWN;
    const strokes = strokesOf(drawing).map((stroke) =>
      stroke.map(([px, py]): StrokePoint => [(px + x) / CAPITAL, py / CAPITAL]),
    );
    x += width + LETTER_GAP;
    return strokes;
  });
  return { letters, width: Math.max(0, x - LETTER_GAP) / CAPITAL };
}

function strokesOf(drawing: string): StrokePoint[][] {
  if (drawing === '') return [];
  return drawing.split('|').map((stroke) => stroke.split(' ').flatMap(pointsOf));
}

function pointsOf(item: string): StrokePoint[] {
  const numbers = item.replace('@', '').split(',').map(Number);
  const [cx = 0, cy = 0, rx = 0, ry = 0, from = 0, to = 0] = numbers;
  if (!item.startsWith('@')) return [[cx, cy]];
  const steps = Math.max(2, Math.ceil(Math.abs(to - from) / DEGREES_A_STEP));
  return Array.from({ length: steps + 1 }, (_, step) => {
    const angle = ((from + ((to - from) * step) / steps) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}
