import { add, crossEntropy, mean, multiply, reshape } from '../../tensor/index.ts';
import { mixTargets } from '../../vision/augment/index.ts';
import type { LinearTask } from './linear-head.ts';

/** Guesses among which the right class counts for the second accuracy. */
const GUESSES = 5;

const ACCURACY = 'validation top-1 accuracy';

/**
 * Telling classes apart: softmax cross entropy, of which a share of the probability may be spread over all classes
 * (label smoothing, Szegedy et al. 2016). The score is the share of photos whose class is the likeliest.
 *
 * @param classOf class of every photo, from 0
 */
export function classification(
  classOf: readonly number[],
  classes: number,
  { labelSmoothing }: { readonly labelSmoothing: number },
): LinearTask {
  return {
    scoreName: ACCURACY,
    width: classes,
    weightWidth: 1,
    loss(outputs, targets, weights) {
      const smoothed = add(multiply(targets, 1 - labelSmoothing), labelSmoothing / classes);
      return mean(multiply(crossEntropy(outputs, smoothed), reshape(weights, [-1])));
    },
    labels(items, batch, mix) {
      const targets = new Float32Array(batch * classes);
      for (const [row, item] of items.entries()) targets[row * classes + (classOf[item] as number)] = 1;
      const weights = Float32Array.from({ length: batch }, (_, row) =>
        row < items.length ? batch / items.length : 0,
      );
      return { targets: mix ? mixTargets(targets, mix) : targets, weights };
    },
    counted: (items) => items.length,
    validation(outputs, items, loss) {
      const ranks = items.map((item, row) =>
        rankOf(outputs.subarray(row * classes, (row + 1) * classes), classOf[item] as number),
      );
      const within = (guesses: number): number =>
        ranks.filter((rank) => rank < guesses).length / ranks.length;
      return {
        score: within(1),
        loss,
        line: {
          'validation loss': loss,
          [ACCURACY]: within(1),
          // With no more classes than guesses every photo would count.
          ...(classes > GUESSES && { 'validation top-5 accuracy': within(GUESSES) }),
        },
      };
    },
  };
}

/** How many classes are taken for likelier than the right one; of equals the first comes first. */
function rankOf(logits: Float32Array, right: number): number {
  const own = logits[right] as number;
  return logits.reduce(
    (rank, value, index) => rank + Number(value > own || (value === own && index < right)),
    0,
  );
}
