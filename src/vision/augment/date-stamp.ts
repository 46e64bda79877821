import type { RandomStream } from '../../ground/random.ts';
import { lettering, type StrokePoint } from '../lettering.ts';
import type { Pixels } from '../photos/pixels.ts';

/** What is printed and how. Lengths in pixels. */
export interface DateStamp {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  /** Height of a figure. */
  readonly height: number;
  /** Half the width of a pen stroke. */
  readonly stroke: number;
  /** How far figures lean to the right, as a share of their height. */
  readonly lean: number;
  readonly colour: readonly [red: number, green: number, blue: number];
}

/** Colour of the light around the figures: redder than they are. */
const GLOW = [255, 92, 16] as const;
/** Reach of the glow in half strokes, and its share of the picture where it is strongest. */
const GLOW_REACH = 2.6;
const GLOW_SHARE = 0.4;

/**
 * The picture with a date in glowing orange figures, as digital and compact film cameras print it into a
 * corner. What does not fit is cut at the border.
 */
export function withDateStamp({ width, height, data }: Pixels, stamp: DateStamp): Pixels {
  const result = new Uint8Array(data);
  for (const strokes of lettering(stamp.text).letters) {
    const segments = strokes.flatMap((stroke) => segmentsOf(stroke, stamp));
    printLetter(result, width, height, segments, stamp);
  }
  return { width, height, data: result };
}

/** A stamp as some camera would have set it: date, form, corner, colour and pen are drawn. */
export function drawDateStamp(
  width: number,
  height: number,
  figureHeight: number,
  random: RandomStream,
): DateStamp {
  const text = drawDate(random);
  const textWidth = lettering(text).width * figureHeight;
  const marginX = width * (0.03 + 0.04 * random.uniform());
  const marginY = height * (0.03 + 0.04 * random.uniform());
  // Nearly all cameras print at the lower right.
  const corner = random.uniform();
  const isLeft = corner > 0.85;
  const isTop = corner > 0.7 && corner <= 0.8;
  const pale = random.uniform();
  return {
    text,
    left: isLeft ? marginX : Math.max(marginX, width - marginX - textWidth),
    top: isTop ? marginY : height - marginY - figureHeight,
    height: figureHeight,
    stroke: figureHeight * (0.055 + 0.03 * random.uniform()),
    lean: random.uniform() < 0.5 ? 0 : 0.15 * random.uniform(),
    colour: [255, 128 + 40 * pale, 22 + 40 * pale],
  };
}

function drawDate(random: RandomStream): string {
  const year = 2000 + random.integer(25);
  const month = 1 + random.integer(12);
  const day = 1 + random.integer(28);
  const two = (value: number): string => String(value).padStart(2, '0');
  const forms = [
    `${year}/${month}/${day}`,
    `${year}/${two(month)}/${two(day)}`,
    `${two(day)}/${two(month)}/${year}`,
    `${two(day)}.${two(month)}.${year}`,
    `'${two(year % 100)} ${month} ${day}`,
    `${year}-${two(month)}-${two(day)}`,
  ];
  const time = random.uniform() < 0.2 ? ` ${two(random.integer(24))}:${two(random.integer(60))}` : '';
  return `${forms[random.integer(forms.length)] ?? ''}${time}`;
}

type Segment = readonly [ax: number, ay: number, bx: number, by: number];

function segmentsOf(stroke: readonly StrokePoint[], { left, top, height, lean }: DateStamp): Segment[] {
  const at = ([x, y]: StrokePoint): [number, number] => [
    left + (x + lean * (1 - y)) * height,
    top + y * height,
  ];
  return stroke.slice(1).map((point, index) => [...at(stroke[index] ?? point), ...at(point)]);
}

function printLetter(
  data: Uint8Array,
  width: number,
  height: number,
  segments: readonly Segment[],
  { stroke, colour }: DateStamp,
): void {
  const reach = Math.max(stroke * GLOW_REACH, stroke + 1);
  const xs = segments.flatMap(([ax, , bx]) => [ax, bx]);
  const ys = segments.flatMap(([, ay, , by]) => [ay, by]);
  const firstX = Math.max(0, Math.floor(Math.min(...xs) - reach));
  const lastX = Math.min(width - 1, Math.ceil(Math.max(...xs) + reach));
  const firstY = Math.max(0, Math.floor(Math.min(...ys) - reach));
  const lastY = Math.min(height - 1, Math.ceil(Math.max(...ys) + reach));
  for (let y = firstY; y <= lastY; y++) {
    for (let x = firstX; x <= lastX; x++) {
      const distance = distanceTo(segments, x, y);
      if (distance >= reach) continue;
      const at = (y * width + x) * 3;
      blend(data, at, GLOW, GLOW_SHARE * (1 - distance / reach) ** 2);
      blend(data, at, colour, 0.95 * Math.min(1, Math.max(0, stroke + 0.5 - distance)));
    }
  }
}

function distanceTo(segments: readonly Segment[], x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const [ax, ay, bx, by] of segments) {
    const dx = bx - ax;
    const dy = by - ay;
    const square = dx * dx + dy * dy;
    const along = square === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / square;
    const t = Math.min(1, Math.max(0, along));
    nearest = Math.min(nearest, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2);
  }
  return Math.sqrt(nearest);
}

function blend(data: Uint8Array, at: number, colour: readonly number[], share: number): void {
  for (let band = 0; band < 3; band++) {
    const before = data[at + band] as number;
    data[at + band] = Math.round(before + ((colour[band] as number) - before) * share);
  }
}
