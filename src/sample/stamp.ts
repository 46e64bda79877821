type Bar = readonly [x1: number, y1: number, x2: number, y2: number];

/** The seven bars of a digital clock's figure by their usual letters, in a box one wide and two high, y down. */
const BARS: Readonly<Record<string, Bar>> = {
  a: [0.1, 0, 0.9, 0],
  b: [1, 0.1, 1, 0.9],
  c: [1, 1.1, 1, 1.9],
  d: [0.1, 2, 0.9, 2],
  e: [0, 1.1, 0, 1.9],
  f: [0, 0.1, 0, 0.9],
  g: [0.1, 1, 0.9, 1],
  '/': [0.9, 0.1, 0.1, 1.9],
};

/** Which bars light up for each letter of a date. */
const LETTERS: Readonly<Record<string, string>> = {
  '0': 'abcdef',
  '1': 'bc',
  '2': 'abged',
  '3': 'abgcd',
  '4': 'fgbc',
  '5': 'afgcd',
  '6': 'afgecd',
  '7': 'abc',
  '8': 'abcdefg',
  '9': 'abcdfg',
  '/': '/',
};

/**
 * Prints the date in glowing orange figures near the lower right corner, as compact cameras did.
 *
 * @param picture 8-bit sRGB, [height, width, 3]; changed in place
 * @param date as in the tables, `2015/9/4`
 */
export function printDateStamp(picture: Uint8Array, width: number, height: number, date: string): void {
  const size = width / 82;
  const advance = size * 1.75;
  const left = width - advance * date.length - width * 0.035;
  const top = height - size * 2 - height * 0.06;
  [...date].forEach((letter, index) => {
    const x = left + index * advance;
    for (const name of LETTERS[letter] ?? '') {
      const bar = BARS[name];
      if (bar === undefined) continue;
      const [x1, y1, x2, y2] = bar;
      drawGlowingBar(picture, width, height, x + x1 * size, top + y1 * size, x + x2 * size, top + y2 * size);
    }
  });
}

function drawGlowingBar(
  picture: Uint8Array,
  width: number,
  height: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): void {
  const half = width / 560;
  const glow = half * 2.4;
  const dx = bx - ax;
  const dy = by - ay;
  const square = dx * dx + dy * dy;
  const lastRow = Math.min(height - 1, Math.ceil(Math.max(ay, by) + glow));
  const lastColumn = Math.min(width - 1, Math.ceil(Math.max(ax, bx) + glow));
  for (let row = Math.max(0, Math.floor(Math.min(ay, by) - glow)); row <= lastRow; row++) {
    for (let column = Math.max(0, Math.floor(Math.min(ax, bx) - glow)); column <= lastColumn; column++) {
      const t = Math.min(1, Math.max(0, ((column - ax) * dx + (row - ay) * dy) / square));
      const distance = Math.hypot(column - ax - t * dx, row - ay - t * dy);
      const core = Math.min(1, Math.max(0, half + 0.5 - distance));
      const halo = 0.35 * Math.max(0, 1 - distance / glow);
      const at = (row * width + column) * 3;
      blend(picture, at, [255, 96, 24], halo);
      blend(picture, at, [255, 158, 62], core * 0.92);
    }
  }
}

function blend(picture: Uint8Array, at: number, colour: readonly number[], share: number): void {
  if (share <= 0) return;
  colour.forEach((value, channel) => {
    picture[at + channel] = Math.round((picture[at + channel] as number) * (1 - share) + value * share);
  });
}
