/** Share of cells with any mass that the top of a scale may cut off, so that one odd cell does not darken the rest. */
const CUT_OFF = 0.01;

/**
 * A round top for a scale: the smallest of 1, 2, 2.5, 5 times a power of ten that is not below all but one in a
 * hundred of the values above zero; 1 where there are none.
 */
export function scaleTop(values: readonly number[]): number {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const high = sorted[Math.ceil((1 - CUT_OFF) * sorted.length) - 1] ?? 0;
  if (high === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(high));
  // Rounding errors must not push 1000 to 2000.
  const step = [1, 2, 2.5, 5].find((factor) => factor * power >= high * (1 - 1e-9));
  return (step ?? 10) * power;
}
