/** Stands wherever a number is missing or not a number. */
export const NO_VALUE = '–';

/** A number with a fixed count of decimals, a true minus sign, thousands apart; {@link NO_VALUE} if not finite. */
export function formatNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const digits = Math.abs(value).toFixed(decimals);
  const [whole = '', fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const isZero = !/[1-9]/.test(digits);
  return `${value < 0 && !isZero ? '−' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** As {@link formatNumber} with a plus sign before positive values, for errors that have a direction. */
export function formatSigned(value: number, decimals: number): string {
  const text = formatNumber(value, decimals);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** R² with three decimals. */
export function formatR2(value: number): string {
  return formatNumber(value, 3);
}

/** Mass in grams with one decimal, unit not included. */
export function formatGrams(value: number): string {
  return formatNumber(value, 1);
}

/** Mean and sample standard deviation (n − 1) of the finite values; NaN where there are too few. */
export function meanAndDeviation(values: readonly number[]): {
  mean: number;
  deviation: number;
  count: number;
} {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean: count > 0 ? mean : Number.NaN,
    deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : Number.NaN,
    count,
  };
}

/** Quantile of sorted values by linear interpolation between order statistics; NaN for no values. */
export function quantileSorted(sorted: readonly number[], fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
