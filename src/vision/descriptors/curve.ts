/**
 * A function as cubic pieces that meet in value and slope: many times cheaper to ask than the function itself. The
 * error is at most h⁴/384 times the largest fourth derivative, h being the width of a piece.
 *
 * @param of the function, and `slope` its derivative
 * @param low first place of the curve, and `high` the last; beyond them it stays as it ends
 */
export function curve(
  of: (x: number) => number,
  slope: (x: number) => number,
  [low, high]: readonly [low: number, high: number],
  pieces: number,
): (x: number) => number {
  const step = (high - low) / pieces;
  // Four coefficients a piece, constant term first; the last piece is the end.
  const terms = new Float64Array(4 * (pieces + 1));
  for (let piece = 0; piece < pieces; piece++) {
    const from = low + piece * step;
    const rise = of(from + step) - of(from);
    const first = slope(from) * step;
    const second = slope(from + step) * step;
    terms.set([of(from), first, 3 * rise - 2 * first - second, first + second - 2 * rise], 4 * piece);
  }
  terms[4 * pieces] = of(high);
  const scale = 1 / step;
  return (x) => {
    let place = (x - low) * scale;
    if (place < 0) place = 0;
    else if (place > pieces) place = pieces;
    const piece = place | 0;
    const rest = place - piece;
    const at = 4 * piece;
    const higher = (terms[at + 2] as number) + rest * (terms[at + 3] as number);
    return (terms[at] as number) + rest * ((terms[at + 1] as number) + rest * higher);
  };
}

/** 1 / (1 + e⁻ˣ), to 3·10⁻¹⁰. */
export const logisticCurve = curve(logistic, (x) => logistic(x) * (1 - logistic(x)), [-24, 24], 1536);

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Arc tangent from 0 to 1, to 10⁻¹³. */
const arcTangent = curve(Math.atan, (x) => 1 / (1 + x * x), [0, 1], 512);

/** As `Math.atan2`, for finite coordinates that are no negative zero `y`, to 10⁻¹³. */
export function angleOf(y: number, x: number): number {
  const up = Math.abs(y);
  const right = Math.abs(x);
  const steep = up > right;
  const largest = steep ? up : right;
  const turn = largest > 0 ? arcTangent((steep ? right : up) / largest) : 0;
  const first = steep ? Math.PI / 2 - turn : turn;
  // Black has a* = 0, whose negative is left of the origin as `Math.atan2` sees it.
  const half = x < 0 || Object.is(x, -0) ? Math.PI - first : first;
  return y < 0 ? -half : half;
}
