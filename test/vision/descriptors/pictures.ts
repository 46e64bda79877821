import { randomStream } from '../../../src/ground/random.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';

/** A picture whose pixels are given by a function of their place. */
export function picture(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => readonly [number, number, number],
): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(colourAt(x, y), (y * width + x) * 3);
  }
  return { width, height, data };
}

/** One colour all over. */
export function plain(colour: readonly [number, number, number], width = 700, height = 300): Pixels {
  return picture(width, height, () => colour);
}

/** Grainy soil with `blades` straight green blades on it, some of them straw, at seeded places and angles. */
export function meadow(blades: number, seed: number, width = 700, height = 300): Pixels {
  const random = randomStream(seed);
  const soil = picture(width, height, () => {
    const grain = 0.8 + 0.4 * random.uniform();
    return [105 * grain, 85 * grain, 65 * grain];
  });
  return withBlades(soil, blades, seed);
}

/** The picture with blades drawn over it, as in {@link meadow}. */
export function withBlades(ground: Pixels, blades: number, seed: number): Pixels {
  const { width, height } = ground;
  const canvas = { ...ground, data: ground.data.slice() };
  const random = randomStream(seed).fork('blades');
  for (let blade = 0; blade < blades; blade++) {
    const angle = Math.PI * random.uniform();
    const length = 30 + 60 * random.uniform();
    const straw = random.uniform() < 0.15;
    const light = 0.6 + 0.6 * random.uniform();
    const colour = straw ? [190 * light, 170 * light, 110 * light] : [80 * light, 150 * light, 50 * light];
    const left = width * random.uniform();
    const top = height * random.uniform();
    for (let step = 0; step < length; step++) {
      for (let across = -2; across <= 2; across++) {
        const x = Math.round(left + step * Math.cos(angle) - across * Math.sin(angle));
        const y = Math.round(top + step * Math.sin(angle) + across * Math.cos(angle));
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        canvas.data.set(colour, (y * width + x) * 3);
      }
    }
  }
  return canvas;
}

/** The picture seen in a mirror. */
export function mirrored({ width, height, data }: Pixels): Pixels {
  return picture(width, height, (x, y) => {
    const from = (y * width + width - 1 - x) * 3;
    return [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
  });
}

/** The picture turned a quarter clockwise. */
export function turned({ width, height, data }: Pixels): Pixels {
  return picture(height, width, (x, y) => {
    const from = ((height - 1 - x) * width + y) * 3;
    return [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
  });
}

/** The picture with orange digits (thick strokes) in its bottom right corner. */
export function stamped(photo: Pixels): Pixels {
  const { width, height, data } = photo;
  const stroke = Math.round(width / 230);
  const digit = 6 * stroke;
  const right = Math.round(width * 0.95);
  const bottom = Math.round(height * 0.93);
  const left = right - 9 * digit;
  const top = bottom - 9 * stroke;
  return picture(width, height, (x, y) => {
    const from = (y * width + x) * 3;
    const within = x >= left && x < right && y >= top && y < bottom;
    const inDigit = (x - left) % digit;
    const isStroke = inDigit < stroke || (inDigit < 4 * stroke && (y - top) % (4 * stroke) < stroke);
    if (within && isStroke) return [255, 140, 30];
    return [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
  });
}
