import { countOf } from '../../ground/counts.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { MASS_SCORES, VALIDATION_SCORE } from '../../networks/objectives/masses.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';

/** Names of the masses as a line has room for. */
const SHORT_NAMES = ['green', 'dead', 'clover', 'GDM', 'total'];

/**
 * An epoch of a fold as a line for one who watches, with what was scored after it:
 * `fold 1 epoch 3/20  loss 1.23  on the fold's 24 photos: weighted R² 0.61  green 0.50 …`; null for a line that is no
 * network's epoch.
 *
 * @param heldOut photos that the fold holds out
 */
export function epochLine(
  { estimator, transform }: Recipe,
  fold: number,
  heldOut: number,
  line: MetricLine,
): string | null {
  if (estimator.kind !== 'network' || line.epoch === undefined) return null;
  const { epochs, members, checkpoint, fineTune } = estimator;
  const [score, loss] = [line[VALIDATION_SCORE], line['training loss']];
  const scored =
    checkpoint.choice === 'best-inner'
      ? 'on the sessions held out inside'
      : `on the fold's ${countOf(heldOut, 'photo')}`;
  const scale = transform.kind === 'none' ? '' : ` (${transform.kind} of the masses)`;
  const parts = MASS_SCORES.map((name, mass) => `${SHORT_NAMES[mass]} ${shown(line[name])}`);
  return [
    `fold ${fold} epoch ${line.epoch}/${members * epochs + fineTune.headEpochs}`,
    `loss ${loss === undefined ? '–' : Number(loss.toPrecision(4))}`,
    score === undefined
      ? 'nothing is scored after an epoch'
      : [`${scored}${scale}: weighted R² ${shown(score)}`, ...parts].join('  '),
  ].join('  ');
}

const shown = (value: number | undefined): string =>
  value === undefined ? '–' : value.toFixed(2).replace(/^-(?=0\.00$)/, '');
