import { gram, squaredNorms } from '../../estimators/kernel/kernels.ts';
import { fitStandardiser, type Standardiser, standardise } from '../../estimators/standardise.ts';
import { featureSetsOf, type Matrix, takeRows } from '../../ground/matrix.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { sketch } from './sketch.ts';

/** What a run remembers of its training photos to tell whether a new photo is like them. */
export interface Domain extends Standardiser {
  /** How much a deviation in each column counts, so that feature sets count alike; null for a single set. */
  readonly weights: Float64Array | null;
  /** Standardised training inputs, sketched where they are wide. [photos, width] */
  readonly support: Matrix;
  /** How far each training photo is from the nearest photos of other sessions, ascending. */
  readonly reference: Float64Array;
}

/** Photos with a larger share of training photos nearer than they are count as unlike what was trained on. */
export const OUT_OF_DOMAIN_SHARE = 0.95;

/** Wider inputs are sketched to this width: distances keep to a few percent, the file stays small. */
const WIDEST = 512;

/** Deviations beyond which one column says no more: a single odd value does not make a photo odd. */
const CLIP = 6;

/** The mean distance to this many nearest photos: one alone may be as odd as the photo itself. */
const NEIGHBOURS = 3;

/**
 * Learns how far photos of an unseen session lie from those trained on: each session in turn is left out,
 * columns are standardised on the others, and the root mean square distances of its photos to the nearest others
 * are kept. (Nearest-neighbour distance as a measure of novelty: Ramaswamy, Rastogi & Shim, SIGMOD 2000.)
 *
 * Several feature sets count alike, however many columns each has.
 *
 * @param inputs one row a training photo
 * @param groups session of each photo; with a single session every photo is left out by itself
 */
export function fitDomain(inputs: Matrix, groups: readonly string[]): Domain {
  const sessions = new Set(groups).size > 1 ? groups : groups.map((_, photo) => String(photo));
  const photos = sessions.map((_, photo) => photo);
  const weights = setWeights(inputs);
  const reference: number[] = [];
  for (const session of new Set(sessions)) {
    const others = takeRows(
      inputs,
      photos.filter((photo) => sessions[photo] !== session),
    );
    if (others.rows === 0) continue;
    const own = takeRows(
      inputs,
      photos.filter((photo) => sessions[photo] === session),
    );
    const space = { ...fitStandardiser(others, unitWeights(others.rows)), weights };
    reference.push(...distances(embed(own, space), embed(others, space)));
  }
  const space = { ...fitStandardiser(inputs, unitWeights(inputs.rows)), weights };
  return {
    ...space,
    support: embed(inputs, space),
    reference: Float64Array.from(reference).sort(),
  };
}

/**
 * How unlike the training photos each photo is: the share of training photos, each seen from the other sessions, that
 * are nearer to what was trained on. About uniform between 0 and 1 for photos of new sessions of the same kind.
 *
 * @returns one share a row
 * @throws InputError when the inputs have another width than those trained on
 */
export function outOfDomainShares(domain: Domain, inputs: Matrix): number[] {
  requireWidth(inputs, domain.mean.length);
  return distances(embed(inputs, domain), domain.support).map((distance) => {
    const nearer = domain.reference.filter((other) => other < distance).length;
    return domain.reference.length > 0 ? nearer / domain.reference.length : 0;
  });
}

/** Where photos lie: what distances are measured in. */
type Space = Pick<Domain, 'mean' | 'scale' | 'weights'>;

function embed(inputs: Matrix, space: Space): Matrix {
  const standard = standardise(inputs, space, CLIP);
  const { weights } = space;
  if (weights) {
    for (let at = 0; at < standard.data.length; at++) {
      const weight = weights[at % weights.length] as number;
      standard.data[at] = (standard.data[at] as number) * weight;
    }
  }
  return standard.columns > WIDEST ? sketch(standard, WIDEST) : standard;
}

/** Root mean square distance of each row to its nearest rows of `support`. */
function distances(rows: Matrix, support: Matrix): number[] {
  const products = gram(rows, support);
  const norms = squaredNorms(rows);
  const supportNorms = squaredNorms(support);
  return Array.from({ length: rows.rows }, (_, row) => {
    const squares = supportNorms.map(
      (norm, other) =>
        (norms[row] as number) + norm - 2 * (products.data[row * support.rows + other] as number),
    );
    const nearest = squares.sort().subarray(0, NEIGHBOURS);
    return nearest.reduce((sum, square) => sum + Math.sqrt(Math.max(0, square)), 0) / nearest.length;
  });
}

/** Weights under which the columns of every set add the same to a squared distance, whose size stays. */
function setWeights(inputs: Matrix): Float64Array | null {
  const sets = featureSetsOf(inputs);
  if (sets.length < 2) return null;
  const weights = new Float64Array(inputs.columns);
  for (const { start, columns } of sets) {
    weights.fill(Math.sqrt(inputs.columns / (sets.length * columns)), start, start + columns);
  }
  return weights;
}

function unitWeights(count: number): number[] {
  return new Array<number>(count).fill(1);
}
