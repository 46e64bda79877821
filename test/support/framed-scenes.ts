import { type RandomStream, randomStream } from '../../src/ground/random.ts';
import type { Pixels } from '../../src/vision/photos/index.ts';
import type { Point, Quadrilateral } from '../../src/vision/photos/quadrilateral.ts';

/** What lies on the sward of a scene beside the frame. */
export const DISTRACTORS = ['card', 'tape', 'fence', 'boot', 'label', 'shadow'] as const;
export type Distractor = (typeof DISTRACTORS)[number];

/** What a scene shows. */
export interface SceneOptions {
  readonly width: number;
  readonly height: number;
  /** Whether a quadrat's frame lies there; default true. */
  readonly hasFrame?: boolean;
  /** How much speaks against finding it, 0 to 1: thin or dull frames, blades over it, tilt, blur, noise. Default drawn. */
  readonly hardness?: number;
  /** Default drawn: none in half of the scenes. */
  readonly distractors?: readonly Distractor[];
}

/** A photo of a sward as a phone would take it, and where the frame is. */
export interface FramedScene {
  readonly pixels: Pixels;
  /** Inner corners of the frame; null where there is none. */
  readonly corners: Quadrilateral | null;
  /** The frame inside: width by height. */
  readonly aspect: number;
  /** What it is made of, for who looks at failures. */
  readonly told: string;
}

type Colour = readonly [number, number, number];

interface Material {
  readonly name: string;
  readonly colour: Colour;
  /** Widths in shares of the frame's shorter side inside. */
  readonly widths: readonly [number, number];
  readonly isRound: boolean;
  /** How strongly light and dark change along the grain, 0 to 255. */
  readonly grain: number;
}

const MATERIALS: readonly Material[] = [
  { name: 'white PVC', colour: [228, 228, 222], widths: [0.05, 0.11], isRound: true, grain: 3 },
  { name: 'steel', colour: [150, 153, 156], widths: [0.018, 0.05], isRound: true, grain: 6 },
  { name: 'aluminium bar', colour: [188, 190, 192], widths: [0.03, 0.09], isRound: false, grain: 4 },
  { name: 'wood', colour: [176, 136, 92], widths: [0.06, 0.14], isRound: false, grain: 16 },
  { name: 'orange paint', colour: [226, 98, 34], widths: [0.02, 0.07], isRound: true, grain: 6 },
  { name: 'yellow PVC', colour: [222, 190, 42], widths: [0.05, 0.1], isRound: true, grain: 4 },
  { name: 'blue PVC', colour: [52, 96, 176], widths: [0.05, 0.1], isRound: true, grain: 4 },
  { name: 'black steel', colour: [36, 36, 40], widths: [0.02, 0.06], isRound: true, grain: 6 },
  { name: 'rusty steel', colour: [112, 74, 54], widths: [0.02, 0.05], isRound: true, grain: 14 },
];

/** Width by height inside: 70 × 30 cm and 50 × 50 cm most of all. */
const ASPECTS = [70 / 30, 70 / 30, 1, 1, 1.25, 1.5, 2] as const;

/** A scene that depends on its seed and the swards alone. @param swards photos of grass, as the ground and in the frame */
export function framedScene(seed: number, swards: readonly Pixels[], options: SceneOptions): FramedScene {
  const random = randomStream(seed).fork('framed scene');
  const { width, height, hasFrame = true } = options;
  const hardness = options.hardness ?? random.uniform();
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const sward = swards[random.integer(swards.length)] as Pixels;
  const material = MATERIALS[random.integer(MATERIALS.length)] as Material;
  const aspect = ASPECTS[random.integer(ASPECTS.length)] as number;
  const view = cameraView(aspect, { width, height }, hardness, between);
  // A thick frame is an easy one.
  const [thin, thick] = material.widths;
  const pipe = thick + (thin - thick) * Math.min(1, hardness * between(0.6, 1.4));
  const distractors =
    options.distractors ?? (random.uniform() < 0.5 ? [] : DISTRACTORS.filter(() => random.uniform() < 0.3));
  const scene = new Scene(width, height, view, random.fork('paint'));
  scene.layGround(sward, aspect, between(0.7, 1.5));
  const light = between(0, 2 * Math.PI);
  const lying = { light, aspect, pipe };
  for (const kind of distractors) if (kind !== 'shadow') scene.layDistractor(kind, lying, hasFrame);
  if (hasFrame) {
    scene.layFrame(material, { ...lying, shade: between(0.15, 0.75), raised: between(0, 0.9) });
    scene.growOver(lying, hardness * between(0.1, 0.5));
  }
  if (distractors.includes('shadow')) scene.castShadow();
  scene.develop(hardness * between(0, 1.6) * (width / 1600), 3 + 7 * hardness * random.uniform());
  const corners = hasFrame ? scene.cornersOf(aspect) : null;
  const told = [
    hasFrame ? `${material.name} ${(100 * pipe).toFixed(1)} % wide, ${aspect.toFixed(2)}:1` : 'no frame',
    `hardness ${hardness.toFixed(2)}`,
    ...distractors,
  ].join(', ');
  return { pixels: scene.pixels(), corners, aspect, told };
}

/** From the ground, whose unit is the frame's shorter side and whose origin is its middle, to the picture. */
interface View {
  seen(x: number, y: number): Point;
  /** The ground behind a pixel. */
  ground(x: number, y: number): Point;
  /** Pixels of a unit, about the middle. */
  readonly scale: number;
}

type Between = (low: number, high: number) => number;

function cameraView(
  aspect: number,
  { width, height }: { width: number; height: number },
  hardness: number,
  between: Between,
): View {
  const focal = between(0.56, 0.75) * Math.hypot(width, height);
  for (let attempt = 0; ; attempt++) {
    const tilt = (hardness * between(0, 0.6) + between(0, 0.12)) * (1 - attempt / 200);
    const towards = between(0, 2 * Math.PI);
    const quarter = between(0, 1) < 0.25 ? Math.PI / 2 : 0;
    const turn = quarter + between(-1, 1) * (0.1 + 0.6 * hardness);
    const share = between(0.45 - 0.15 * hardness, 0.85);
    const away = (focal * aspect) / (share * width);
    const [shiftX, shiftY] = [between(-0.5, 0.5) * (1 - share), between(-0.5, 0.5) * (1 - share)];
    const view = tilted(turn, tilt, towards, away, focal, {
      x: width * (0.5 + shiftX),
      y: height * (0.5 + shiftY),
    });
    const margin = 0.16;
    const corners = [-1, 1].flatMap((x) =>
      [-1, 1].map((y) => view.seen((x * (aspect + 2 * margin)) / 2, (y * (1 + 2 * margin)) / 2)),
    );
    const isInside = corners.every(({ x, y }) => x > 4 && y > 4 && x < width - 4 && y < height - 4);
    if (isInside) return view;
  }
}

/** A pinhole camera that looks down on the ground, tilted. */
function tilted(
  turn: number,
  tilt: number,
  towards: number,
  away: number,
  focal: number,
  middle: Point,
): View {
  const [ct, st] = [Math.cos(tilt), Math.sin(tilt)];
  const [ax, ay] = [Math.cos(towards), Math.sin(towards)];
  // Rodrigues' turn about an axis in the picture's plane, after one about the line of sight.
  const tiltRows = [
    [ct + ax * ax * (1 - ct), ax * ay * (1 - ct), ay * st],
    [ax * ay * (1 - ct), ct + ay * ay * (1 - ct), -ax * st],
    [-ay * st, ax * st, ct],
  ] as const;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const onto = tiltRows.map(([a, b]) => [a * c + b * s, -a * s + b * c] as const);
  const [[a, b], [d, e], [g, h]] = onto as unknown as [[number, number], [number, number], [number, number]];
  const matrix = [
    [focal * a + middle.x * g, focal * b + middle.x * h, middle.x * away],
    [focal * d + middle.y * g, focal * e + middle.y * h, middle.y * away],
    [g, h, away],
  ] as const;
  const back = inverse(matrix);
  const apply = (rows: Rows, x: number, y: number): Point => {
    const w = rows[2][0] * x + rows[2][1] * y + rows[2][2];
    return {
      x: (rows[0][0] * x + rows[0][1] * y + rows[0][2]) / w,
      y: (rows[1][0] * x + rows[1][1] * y + rows[1][2]) / w,
    };
  };
  return {
    seen: (x, y) => apply(matrix, x, y),
    ground: (x, y) => apply(back, x, y),
    scale: focal / away,
  };
}

type Rows = readonly [Colour, Colour, Colour];

function inverse([[a, b, c], [d, e, f], [g, h, i]]: Rows): Rows {
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [(e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det],
    [(f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det],
    [(d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det],
  ];
}

/** How the frame lies. */
interface Lying {
  /** Where light comes from. */
  readonly light: number;
  readonly aspect: number;
  /** Its width. */
  readonly pipe: number;
}

/** A picture in the making. */
class Scene {
  readonly #width: number;
  readonly #height: number;
  readonly #view: View;
  readonly #random: RandomStream;
  /** [height, width, 2]: the ground behind each pixel. */
  readonly #ground: Float64Array;
  #rgb: Float32Array;

  constructor(width: number, height: number, view: View, random: RandomStream) {
    this.#width = width;
    this.#height = height;
    this.#view = view;
    this.#random = random;
    this.#rgb = new Float32Array(width * height * 3);
    this.#ground = new Float64Array(width * height * 2);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const { x, y } = view.ground((pixel % width) + 0.5, Math.floor(pixel / width) + 0.5);
      this.#ground[2 * pixel] = x;
      this.#ground[2 * pixel + 1] = y;
    }
  }

  /** Grass all over: a photo, and its mirror images beside it. @param zoom how large it is beside the frame */
  layGround(sward: Pixels, aspect: number, zoom: number): void {
    const perUnit = (sward.width / aspect) * zoom * 0.8;
    // Photos of quadrats may show the frame they were taken through at their edges.
    const mirrored = (value: number, whole: number): number => {
      const [first, length] = [0.07 * whole, 0.86 * whole];
      const place = (((value - first) % (2 * length)) + 2 * length) % (2 * length);
      return first + (place < length ? place : 2 * length - place);
    };
    this.#paint((_, __, ground) => {
      const [u, v] = [
        mirrored(ground.x * perUnit + sward.width * 0.37, sward.width - 1),
        mirrored(ground.y * perUnit + sward.height * 0.41, sward.height - 1),
      ];
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const at = 3 * (top * sward.width + left);
      const below = at + 3 * sward.width;
      const mix = (band: number): number => {
        const [p, q] = [sward.data[at + band] as number, sward.data[at + 3 + band] as number];
        const [r, s] = [sward.data[below + band] as number, sward.data[below + 3 + band] as number];
        return (
          (p * (1 - u + left) + q * (u - left)) * (1 - v + top) +
          (r * (1 - u + left) + s * (u - left)) * (v - top)
        );
      };
      return [mix(0), mix(1), mix(2), 1];
    });
  }

  /** @param shade how dark its shadow is @param raised how far the frame lies above the ground, in its widths */
  layFrame(
    { colour, isRound, grain }: Material,
    { light, aspect, pipe, shade, raised }: Lying & { shade: number; raised: number },
  ): void {
    const [lx, ly] = [Math.cos(light), Math.sin(light)];
    const drop = pipe * (0.3 + raised);
    this.#paint((_, __, { x, y }) => {
      const depth = depthOf(x - lx * drop, y - ly * drop, aspect, pipe);
      const dark = shade * smooth((depth + 0.15 * pipe) / (0.3 * pipe));
      return dark === 0 ? null : [0, 0, 0, dark];
    });
    const knots = Array.from({ length: 64 }, () => this.#random.normal());
    this.#paint((_, __, { x, y }) => {
      if (depthOf(x, y, aspect, pipe) < -0.02) return null;
      const { depth, across, along, normal } = bandDepth(x, y, aspect, pipe);
      const rounding = isRound ? across : across * 0.15;
      // Lambert's law over the pipe's back, and a highlight along it.
      const facing =
        -(normal.x * lx + normal.y * ly) * rounding * 0.7 +
        Math.sqrt(Math.max(0, 1 - rounding * rounding)) * 0.75;
      const shine = isRound ? 45 * Math.max(0, facing) ** 12 : 0;
      const lit = 0.45 + 0.65 * Math.max(0, facing);
      const streak =
        grain * (knots[Math.floor((Math.abs(across) + 1) * 9 + Math.abs(along) * 3) % 64] as number);
      const edge = smooth((depth * this.#view.scale + 0.5) / 1);
      return [...colour.map((value) => value * lit + shine + streak), edge] as unknown as Painted;
    });
  }

  /** Blades that stand inside and around and hang over the frame. @param part of its length that is covered, about */
  growOver({ aspect, pipe }: Lying, part: number): void {
    const count = Math.round((part * 2 * (aspect + 1)) / 0.035);
    for (let blade = 0; blade < count; blade++) {
      const around = this.#random.uniform() * 2 * (aspect + 1);
      const { x, y } = alongFrame(around, aspect);
      const lean = this.#random.uniform() * 2 * Math.PI;
      const reach = pipe * (1 + 2 * this.#random.uniform()) + 0.03;
      const source = this.#view.seen(
        x + (this.#random.uniform() - 0.5) * 0.5,
        y + (this.#random.uniform() - 0.5) * 0.5,
      );
      const colour = this.#colourAt(source);
      const from = this.#view.seen(x - Math.cos(lean) * reach, y - Math.sin(lean) * reach);
      const to = this.#view.seen(x + Math.cos(lean) * reach, y + Math.sin(lean) * reach);
      const lit = 0.75 + 0.5 * this.#random.uniform();
      this.#stroke(from, to, (0.008 + 0.02 * this.#random.uniform()) * this.#view.scale, [
        colour[0] * lit,
        colour[1] * lit,
        colour[2] * lit,
      ]);
    }
  }

  layDistractor(kind: Distractor, { aspect }: Lying, hasFrame: boolean): void {
    const place = (): Point => {
      const x = (this.#random.uniform() - 0.5) * aspect * 1.5;
      const y = (this.#random.uniform() - 0.5) * 1.5;
      return { x, y };
    };
    const { x: px, y: py } = place();
    const turn = this.#random.uniform() * Math.PI;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    const local = ({ x, y }: Point): Point => ({
      x: (x - px) * c + (y - py) * s,
      y: (y - py) * c - (x - px) * s,
    });
    // Of a frame of 30 to 50 cm on its shorter side; where there is none, as near as a photo may be.
    const size = hasFrame ? 1 : 1 + this.#random.uniform();
    const white = 205 + 45 * this.#random.uniform();
    const sheet = (w: number, h: number, paint: (u: number, v: number) => Colour): void =>
      this.#paint((_, __, ground) => {
        const { x, y } = local(ground);
        const inside = Math.min(w / 2 - Math.abs(x), h / 2 - Math.abs(y)) * this.#view.scale;
        return inside < -1
          ? null
          : ([...paint(x / w + 0.5, y / h + 0.5), smooth((inside + 0.5) / 1)] as unknown as Painted);
      });
    if (kind === 'card')
      sheet(0.22 * size, 0.14 * size, (_, v) =>
        v > 0.6 && v < 0.75 ? [40, 40, 60] : [white, white, white - 8],
      );
    if (kind === 'label')
      sheet(0.4 * size, 0.28 * size, (u, v) =>
        Math.abs(u - 0.5) < 0.4 && Math.abs((v * 6) % 1) < 0.3 ? [50, 50, 55] : [white, white, white],
      );
    if (kind === 'tape') sheet(9, 0.045, (u) => (Math.floor(u * 90) % 2 ? [235, 200, 40] : [215, 180, 40]));
    if (kind === 'fence') {
      for (const offset of [-0.8, -0.25, 0.35, 0.9]) {
        const from = this.#view.seen(px - 5 * c - offset * s, py - 5 * s + offset * c);
        const to = this.#view.seen(px + 5 * c - offset * s, py + 5 * s + offset * c);
        this.#stroke(from, to, 0.02 * this.#view.scale, [165, 165, 168]);
      }
    }
    if (kind === 'boot') {
      this.#paint((_, __, ground) => {
        const { x, y } = local(ground);
        const inside = 1 - Math.hypot(x / 0.3, y / 0.13);
        return inside < 0
          ? null
          : [62 + 30 * inside, 48 + 24 * inside, 36 + 20 * inside, smooth(inside * 12)];
      });
    }
  }

  /** A straight-edged shadow, as of a person or a post, over part of the picture. */
  castShadow(): void {
    const lean = this.#random.uniform() * Math.PI;
    const [c, s] = [Math.cos(lean), Math.sin(lean)];
    const at = (this.#random.uniform() - 0.5) * 0.5 * this.#width;
    const half = (0.08 + 0.25 * this.#random.uniform()) * this.#width;
    this.#paint((x, y) => {
      const across = Math.abs((x - this.#width / 2) * c + (y - this.#height / 2) * s - at);
      return [8, 10, 16, 0.55 * smooth((half - across) / (0.006 * this.#width))];
    });
  }

  /** What a lens and a sensor do: falling off to the corners, soft focus, noise. */
  develop(blur: number, noise: number): void {
    const [cx, cy] = [this.#width / 2, this.#height / 2];
    const corner = Math.hypot(cx, cy);
    this.#paint((x, y) => [0, 0, 0, 0.22 * (Math.hypot(x - cx, y - cy) / corner) ** 2]);
    if (blur > 0.2) this.#rgb = blurred(this.#rgb, this.#width, this.#height, blur);
    const [rgb, random] = [this.#rgb, this.#random];
    for (let at = 0; at < rgb.length; at++) {
      rgb[at] = (rgb[at] as number) + noise * (random.uniform() + random.uniform() - 1);
    }
  }

  cornersOf(aspect: number): Quadrilateral {
    const [x, y] = [aspect / 2, 0.5];
    const { seen } = this.#view;
    return [seen(-x, -y), seen(x, -y), seen(x, y), seen(-x, y)];
  }

  pixels(): Pixels {
    const data = new Uint8Array(this.#rgb.length);
    for (let at = 0; at < data.length; at++) {
      data[at] = Math.max(0, Math.min(255, Math.round(this.#rgb[at] as number)));
    }
    return { width: this.#width, height: this.#height, data };
  }

  #colourAt({ x, y }: Point): Colour {
    const [column, row] = [
      Math.min(this.#width - 1, Math.max(0, Math.floor(x))),
      Math.min(this.#height - 1, Math.max(0, Math.floor(y))),
    ];
    const at = 3 * (row * this.#width + column);
    return [this.#rgb[at] as number, this.#rgb[at + 1] as number, this.#rgb[at + 2] as number];
  }

  #stroke(from: Point, to: Point, thickness: number, colour: Colour): void {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
    const reach = thickness + 1;
    const [left, right] = [Math.min(from.x, to.x) - reach, Math.max(from.x, to.x) + reach];
    const [top, bottom] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach];
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(this.#height, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(this.#width, right); x++) {
        const along = (x - from.x) * dx + (y - from.y) * dy;
        if (along < 0 || along > length) continue;
        const off = Math.abs((x - from.x) * dy - (y - from.y) * dx);
        this.#cover(3 * (y * this.#width + x), colour, smooth((thickness / 2 - off + 0.5) / 1));
      }
    }
  }

  #paint(colourOf: (x: number, y: number, ground: Point) => Painted | null): void {
    const place = { x: 0, y: 0 };
    for (let y = 0, at = 0; y < this.#height; y++) {
      for (let x = 0; x < this.#width; x++, at += 3) {
        place.x = this.#ground[(at / 3) * 2] as number;
        place.y = this.#ground[(at / 3) * 2 + 1] as number;
        const painted = colourOf(x + 0.5, y + 0.5, place);
        if (painted && painted[3] !== 0) this.#cover(at, painted, painted[3]);
      }
    }
  }

  #cover(at: number, colour: Colour | Painted, share: number): void {
    const rgb = this.#rgb;
    for (let band = 0; band < 3; band++) {
      const before = rgb[at + band] as number;
      rgb[at + band] = before + ((colour[band] as number) - before) * share;
    }
  }
}

/** Colour, and how much of what was there it covers. */
type Painted = readonly [number, number, number, number];

const smooth = (value: number): number => Math.max(0, Math.min(1, value));

/** How far a place of the ground is from the nearer edge of the frame, positive on it. */
function depthOf(x: number, y: number, aspect: number, pipe: number): number {
  const out = Math.max(Math.abs(x) - aspect / 2, Math.abs(y) - 0.5);
  return Math.min(out, pipe - out);
}

/** Where a place of the ground lies on the frame. */
function bandDepth(
  x: number,
  y: number,
  aspect: number,
  pipe: number,
): { depth: number; across: number; along: number; normal: Point } {
  const [outX, outY] = [Math.abs(x) - aspect / 2, Math.abs(y) - 0.5];
  const out = Math.max(outX, outY);
  const isSide = outX > outY;
  return {
    depth: depthOf(x, y, aspect, pipe),
    across: (2 * out) / pipe - 1,
    along: isSide ? y : x,
    normal: isSide ? { x: Math.sign(x), y: 0 } : { x: 0, y: Math.sign(y) },
  };
}

function alongFrame(around: number, aspect: number): Point {
  if (around < aspect) return { x: around - aspect / 2, y: -0.5 };
  if (around < aspect + 1) return { x: aspect / 2, y: around - aspect - 0.5 };
  if (around < 2 * aspect + 1) return { x: around - 1.5 * aspect - 1, y: 0.5 };
  return { x: -aspect / 2, y: around - 2 * aspect - 1.5 };
}

function blurred(rgb: Float32Array, width: number, height: number, sigma: number): Float32Array {
  const reach = Math.ceil(2.5 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, tap) =>
    Math.exp(-((tap - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pass = (from: Float32Array, isRow: boolean): Float32Array => {
    const to = new Float32Array(from.length);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let band = 0; band < 3; band++, at++) {
          let sum = 0;
          for (let tap = -reach; tap <= reach; tap++) {
            const column = isRow ? Math.min(width - 1, Math.max(0, x + tap)) : x;
            const row = isRow ? y : Math.min(height - 1, Math.max(0, y + tap));
            sum += (weights[tap + reach] as number) * (from[3 * (row * width + column) + band] as number);
          }
          to[at] = sum / total;
        }
      }
    }
    return to;
  };
  return pass(pass(rgb, true), false);
}

/** The largest distance between corners that belong together, as a share of the picture's diagonal. */
export function cornerError(
  found: Quadrilateral,
  truth: Quadrilateral,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  // What is top left of a frame that lies aslant is a matter of taste.
  const turned = [0, 1, 2, 3].map((turn) =>
    Math.max(
      ...found.map((corner, index) => {
        const other = truth[(index + turn) % 4] as Point;
        return Math.hypot(corner.x - other.x, corner.y - other.y);
      }),
    ),
  );
  return Math.min(...turned) / Math.hypot(width, height);
}

/** Shared area of two convex quadrilaterals by their area together, to a third of a per cent. */
export function intersectionOverUnion(one: Quadrilateral, other: Quadrilateral): number {
  const all = [...one, ...other];
  const [left, right] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y))];
  const isIn = (corners: Quadrilateral, x: number, y: number): boolean =>
    corners.every((a, index) => {
      const b = corners[(index + 1) % 4] as Point;
      return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) >= 0;
    });
  let [both, either] = [0, 0];
  const steps = 400;
  for (let row = 0; row < steps; row++) {
    for (let column = 0; column < steps; column++) {
      const x = left + ((right - left) * (column + 0.5)) / steps;
      const y = top + ((bottom - top) * (row + 0.5)) / steps;
      const [isInOne, isInOther] = [isIn(one, x, y), isIn(other, x, y)];
      if (isInOne && isInOther) both++;
      if (isInOne || isInOther) either++;
    }
  }
  return both / either;
}
