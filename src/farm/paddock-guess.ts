import { type Boundary, partsOf } from './boundary.ts';
import { metresPerDegree } from './ellipsoid.ts';
import type { Paddock } from './paddock.ts';
import type { Position } from './position.ts';
import { isWithin, type Rings, sidesOf, unwrapped } from './ring.ts';

/** A paddock that something may have been done in. */
export interface PaddockCandidate {
  readonly paddock: Paddock;
  readonly within: boolean;
  /** From the position to the nearest point of the boundary. */
  readonly metresToBoundary: number;
}

/** Which paddock a position is in, as far as it tells. */
export interface PaddockGuess {
  /** The likeliest; null where it is in none that it may be in, or in several. */
  readonly paddock: Paddock | null;
  /** Whether it is that paddock for all that the position may be off; otherwise ask. */
  readonly sure: boolean;
  /** All that it may be: those it lies in, then those within reach of its accuracy, the nearest first. */
  readonly candidates: readonly PaddockCandidate[];
}

/** A position of unknown accuracy, as a photo's EXIF has it, may be so far off. */
const UNKNOWN_ACCURACY_METRES = 50;

/**
 * The paddock that a position is in. It is sure when it lies in one alone, and farther from that one's boundary than the
 * position may be off, and no other paddock is as near. Paddocks without a boundary are never guessed.
 */
export function guessPaddock(position: Position, paddocks: readonly Paddock[]): PaddockGuess {
  const reach = position.accuracyMetres ?? UNKNOWN_ACCURACY_METRES;
  const candidates = paddocks
    .flatMap((paddock): PaddockCandidate[] =>
      paddock.boundary ? [{ paddock, ...placeIn(position, paddock.boundary) }] : [],
    )
    .filter(({ within, metresToBoundary }) => within || metresToBoundary <= reach)
    .sort((a, b) => Number(b.within) - Number(a.within) || a.metresToBoundary - b.metresToBoundary);
  const [first, second] = candidates;
  const alone = first !== undefined && first.within !== (second?.within ?? false);
  const likeliest = alone || candidates.length === 1 ? (first?.paddock ?? null) : null;
  const sure = candidates.length === 1 && first?.within === true && first.metresToBoundary > reach;
  return { paddock: likeliest, sure, candidates };
}

function placeIn({ longitude, latitude }: Position, boundary: Boundary): Omit<PaddockCandidate, 'paddock'> {
  const metres = metresPerDegree(latitude);
  // Metres east and north of the position: nearby boundaries are flat enough, far ones far anyhow.
  const local = (rings: Rings): [number, number][][] =>
    rings.map((ring) =>
      unwrapped(ring, longitude).map(([x, y]) => [
        (x - longitude) * metres.east,
        (y - latitude) * metres.north,
      ]),
    );
  const parts = partsOf(boundary).map(local);
  const here = [0, 0] as const;
  return {
    within: parts.some(
      ([outer = [], ...holes]) => isWithin(here, outer) && !holes.some((hole) => isWithin(here, hole)),
    ),
    metresToBoundary: Math.min(...parts.flat().flatMap((ring) => sidesOf(ring).map(metresFromOrigin))),
  };
}

/** From the origin to the nearest point of a side. */
function metresFromOrigin([[x1, y1], [x2, y2]]: readonly [[number, number], [number, number]]): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const squared = dx * dx + dy * dy;
  const along = squared > 0 ? Math.min(1, Math.max(0, -(x1 * dx + y1 * dy) / squared)) : 0;
  return Math.hypot(x1 + along * dx, y1 + along * dy);
}
