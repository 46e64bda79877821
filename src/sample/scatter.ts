import type { RandomStream } from '../ground/random.ts';
import { smoothNoise } from './noise.ts';
import { FRAME_CM } from './scene.ts';

/** How roots spread over the ground. */
export interface Scatter {
  /** Share of roots that stand in tufts, 0–1. */
  readonly tufted: number;
  /** Radius of a tuft, cm. */
  readonly tuftRadius: number;
  /** Tufts per quadrat. */
  readonly tufts: number;
  /** 0 even … 1 strong drifts over tens of centimetres. */
  readonly patchiness: number;
}

/** A root, with the direction away from its tuft's middle where it stands in one. */
export interface Root {
  readonly x: number;
  readonly y: number;
  readonly outward: number | undefined;
}

/** A point of the frame or its margin. */
export function somewhere(random: RandomStream): [x: number, y: number] {
  const { width, height, margin } = FRAME_CM;
  const x = -margin + random.uniform() * (width + 2 * margin);
  return [x, -margin + random.uniform() * (height + 2 * margin)];
}

/** Draws roots one by one over the frame and its margin. */
export function rootSource(scatter: Scatter, random: RandomStream): () => Root {
  const drift = random.integer(1 << 20);
  const anywhere = (): Root => {
    let [x, y] = [0, 0];
    // A few tries are enough: a refused root lands elsewhere, so drifts stay soft.
    for (let attempt = 0; attempt < 8; attempt++) {
      [x, y] = somewhere(random);
      const field = 0.7 * smoothNoise(x / 13, y / 13, drift) + 0.3 * smoothNoise(x / 4, y / 4, drift + 1);
      const keep = 1 - scatter.patchiness * Math.min(1, Math.max(0, 1.25 - 1.8 * field) * 1.5);
      if (random.uniform() < keep) break;
    }
    return { x, y, outward: undefined };
  };
  const tuftCount = Math.max(1, Math.round(scatter.tufts * (0.7 + 0.6 * random.uniform())));
  const tufts = Array.from({ length: tuftCount }, () => ({
    ...anywhere(),
    radius: scatter.tuftRadius * (0.5 + random.uniform()),
  }));
  return () => {
    const tuft = random.uniform() < scatter.tufted ? tufts[random.integer(tuftCount)] : undefined;
    if (tuft === undefined) return anywhere();
    const angle = 2 * Math.PI * random.uniform();
    const distance = tuft.radius * Math.abs(random.normal()) * 0.6;
    return {
      x: tuft.x + Math.cos(angle) * distance,
      y: tuft.y + Math.sin(angle) * distance,
      outward: angle,
    };
  };
}
