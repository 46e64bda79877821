/** Differences up to this are nobody's business: networks take their time, and clocks drift. */
export const TOLERATED_SKEW_MS = 5 * 60_000;

let skew = 0;

/** Notes when the server answered, by its own clock. */
export function hearClock({ headers }: Pick<Response, 'headers'>): void {
  const said = Date.parse(headers.get('date') ?? '');
  if (!Number.isNaN(said)) skew = said - Date.now();
}

/** By how much the server's clock is ahead of this device's, milliseconds; 0 where that is little or not known. */
export const clockSkew = (): number => (Math.abs(skew) > TOLERATED_SKEW_MS ? skew : 0);

/** How far apart two clocks are, in words. */
export function skewWords(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  if (minutes < 90) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
