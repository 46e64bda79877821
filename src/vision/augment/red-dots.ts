import type { RandomStream } from '../../ground/random.ts';
import type { Pixels } from '../photos/pixels.ts';

/** A spot of red light on the sward; lengths in pixels. */
export interface RedDot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Stretch across over stretch down. */
  readonly aspect: number;
  /** How bright; 1 saturates the middle. */
  readonly strength: number;
  /** Phases of the ragged edge. */
  readonly phases: readonly [number, number];
}

/** Light added at full strength on a white surface, grey levels: red, a little blue and green. */
const LIGHT = [300, 52, 78] as const;
/** A leaf or soil scatters at least this share of the light. */
const DULLEST = 0.35;
/** The camera exposes for the light: what was there shows by this share less where it is full. */
const OUTSHONE = 0.7;

/**
 * The picture with spots of red light, as the diodes of a hand-held reflectance sensor throw them on the
 * ground. Light is added where it falls, more on what is bright, so leaves and grains stay visible in it.
 */
export function withRedDots({ width, height, data }: Pixels, dots: readonly RedDot[]): Pixels {
  const result = new Uint8Array(data);
  for (const dot of dots) shine(result, width, height, dot);
  return { width, height, data: result };
}

/** One or two staggered rows of spots at one distance, somewhere in the view. @param diameter in pixels */
export function drawRedDots(width: number, height: number, diameter: number, random: RandomStream): RedDot[] {
  const rows = 1 + random.integer(2);
  const step = diameter * (2 + random.uniform());
  const down = diameter * (3 + 1.5 * random.uniform());
  const first = height * (0.05 + 0.5 * random.uniform());
  const count = Math.max(2, Math.min(8, Math.floor(width / step)));
  const left = random.uniform() * Math.max(0, width - (count - 1) * step);
  const strength = 0.8 + 0.4 * random.uniform();
  return Array.from({ length: rows * count }, (_, index) => {
    const row = Math.floor(index / count);
    return {
      x: left + ((index % count) + row * 0.5 + 0.12 * random.normal()) * step,
      y: first + row * down + 0.08 * down * random.normal(),
      radius: (diameter / 2) * (0.85 + 0.3 * random.uniform()),
      aspect: 0.8 + 0.5 * random.uniform(),
      strength: strength * (0.85 + 0.3 * random.uniform()),
      phases: [2 * Math.PI * random.uniform(), 2 * Math.PI * random.uniform()],
    };
  });
}

/** Beyond this many radii no light is left. */
const DOT_REACH = 2.4;

function shine(data: Uint8Array, width: number, height: number, dot: RedDot): void {
  const stretch = Math.sqrt(dot.aspect);
  const reach = dot.radius * DOT_REACH * Math.max(stretch, 1 / stretch);
  const lastX = Math.min(width - 1, Math.ceil(dot.x + reach));
  const lastY = Math.min(height - 1, Math.ceil(dot.y + reach));
  for (let y = Math.max(0, Math.floor(dot.y - reach)); y <= lastY; y++) {
    for (let x = Math.max(0, Math.floor(dot.x - reach)); x <= lastX; x++) {
      const dx = (x - dot.x) / stretch;
      const dy = (y - dot.y) * stretch;
      const angle = Math.atan2(dy, dx);
      const ragged =
        1 + 0.1 * Math.sin(2 * angle + dot.phases[0]) + 0.07 * Math.sin(5 * angle + dot.phases[1]);
      const distance = Math.hypot(dx, dy) / (dot.radius * ragged);
      if (distance >= DOT_REACH) continue;
      // A flat middle, and a faint wide skirt that ends at the reach.
      const light = dot.strength * (Math.exp(-(distance ** 4)) + 0.22 * (1 - distance / DOT_REACH) ** 2);
      const at = (y * width + x) * 3;
      const brightness =
        ((data[at] as number) + (data[at + 1] as number) + (data[at + 2] as number)) / (3 * 255);
      const scattered = light * (DULLEST + (1 - DULLEST) * Math.min(1, 1.6 * brightness));
      const left = 1 - OUTSHONE * Math.min(1, light);
      for (let band = 0; band < 3; band++) {
        const value = left * (data[at + band] as number) + scattered * (LIGHT[band] as number);
        data[at + band] = Math.min(255, Math.round(value));
      }
    }
  }
}
