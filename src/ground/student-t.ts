/** Above so many degrees of freedom the quantile is nearly that of the normal distribution, and goes as 1 / ν. */
const NEARLY_NORMAL = 1000;
/** Halvings of a range of angles to below the last digit of a double. */
const HALVINGS = 60;

/**
 * How many standard errors to each side hold a share of Student's t distribution: its quantile at (1 + coverage) / 2.
 * The share within is the finite series of Abramowitz & Stegun 26.7.3 and 26.7.4, which halving inverts.
 *
 * @param coverage share between the ends, above 0 and below 1
 * @param freedom degrees of freedom, at least 1, rounded down; infinity gives the normal distribution
 * @throws RangeError for a coverage or degrees that are out of range
 */
export function studentReach(coverage: number, freedom: number): number {
  if (!(coverage > 0 && coverage < 1)) throw new RangeError(`coverage ${coverage} is not between 0 and 1`);
  if (!(freedom >= 1)) throw new RangeError(`${freedom} degrees of freedom are fewer than 1`);
  const whole = Math.floor(freedom);
  if (whole <= NEARLY_NORMAL) return quantile(coverage, whole);
  const edge = quantile(coverage, NEARLY_NORMAL);
  const normal = 2 * quantile(coverage, 2 * NEARLY_NORMAL) - edge;
  return normal + ((edge - normal) * NEARLY_NORMAL) / whole;
}

function quantile(coverage: number, freedom: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, freedom) < coverage) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan((low + high) / 2);
}

/** Share of |t| below √ν · tan(angle). */
function shareWithin(angle: number, freedom: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= ((power - 1) / power) * cosine ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
