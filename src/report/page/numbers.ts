/** Stands wherever a number is missing or not a number. */
export const NO_VALUE = '–';

/** What is shown as a number; null and undefined are missing ones. */
type Figure = number | null | undefined;

/** A number with a fixed count of decimals, a true minus sign, thousands apart; {@link NO_VALUE} if not finite. */
export function formatNumber(value: Figure, decimals: number): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return NO_VALUE;
  const digits = Math.abs(value).toFixed(decimals);
  const [whole = '', fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const isZero = !/[1-9]/.test(digits);
  return `${value < 0 && !isZero ? '−' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** As {@link formatNumber} with a plus sign before positive values, for errors that have a direction. */
export function formatSigned(value: Figure, decimals: number): string {
  const text = formatNumber(value, decimals);
  return (value ?? 0) > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A count. */
export const formatCount = (value: Figure): string => formatNumber(value, 0);

/** R² with three decimals. */
export const formatR2 = (value: Figure): string => formatNumber(value, 3);

/** Mass in grams with one decimal, unit not included. */
export const formatGrams = (value: Figure): string => formatNumber(value, 1);
