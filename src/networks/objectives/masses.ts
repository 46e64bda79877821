import { scoreTargets } from '../../pasture/metric.ts';
import { TARGET_NAMES } from '../../pasture/targets.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import type { Feed } from '../../tensor/index.ts';
import { type BatchMix, mixTargets } from '../../vision/augment/index.ts';
import { type HeadSettings, heads, physicalMasses } from '../heads/heads.ts';
import { auxiliaryHeads } from './auxiliary.ts';
import { type LabelledPhotos, labelCodec, labelFeeds, labelInputs } from './labels.ts';
import { type MassLossSettings, networkLoss } from './loss.ts';
import { type MixupSettings, mixedFeatures, mixedLabels, mixupFeeds, mixupInputs } from './mixup.ts';
import type { Objective } from './objective.ts';

/** What an epoch's line calls the weighted R² of the photos that are validated on. */
export const VALIDATION_SCORE = 'validation weighted R²';

/** What it calls their R² of each mass, in the order of `TARGET_NAMES`. */
export const MASS_SCORES: readonly string[] = TARGET_NAMES.map((name) => `validation R² ${name}`);

/** What of a network's settings decides what it is trained for. */
export interface MassSettings extends HeadSettings, MassLossSettings {
  readonly mixup: MixupSettings;
}

/**
 * The five masses of photos, with auxiliary heads, a teacher's word and embedding mixup where the settings say so.
 *
 * @param train photos by which labels are written as numbers
 * @param hasGaps whether masses of photos that will be trained or validated on were not measured
 * @throws UsageError when settings and labels do not suit each other
 */
export function massObjective(
  train: LabelledPhotos,
  settings: MassSettings,
  hasGaps?: boolean,
): Objective<LabelledPhotos> {
  const codec = labelCodec(train, settings, hasGaps);
  const mixes = settings.mixup.probability > 0;
  return {
    width: 5,
    answers: (scope, features) => heads(scope, features, settings).masses,
    loss(scope, features) {
      const batch = lengthAt(features.parts.shape, 0);
      const labels = labelInputs(batch, codec);
      const mix = scope.training && mixes ? mixupInputs(batch) : undefined;
      const answers = heads(scope, mix ? mixedFeatures(features, mix) : features, settings);
      const beside = auxiliaryHeads(scope, answers.embedding, settings.loss, settings.auxiliary, codec);
      return {
        answers: answers.masses,
        loss: networkLoss(answers, beside, mix ? mixedLabels(labels, mix) : labels, settings),
      };
    },
    feeds(photos, items, batch, drawn) {
      const feeds = labelFeeds(photos, items, batch, codec);
      if (!drawn) return feeds;
      const { random, mix } = drawn;
      return {
        ...(mix ? mixedFeeds(feeds, mix) : feeds),
        ...(mixes && mixupFeeds(random, items.length, batch, settings.mixup)),
      };
    },
    counted: (_, items) => items.length,
    validation(photos, answers, loss) {
      const { weightedR2: score, perTarget } = scoreTargets(
        photos.observed ?? photos.targets,
        physicalMasses(answers, settings.architecture),
      );
      const parts = TARGET_NAMES.flatMap((name, mass) =>
        perTarget[name].photos > 0 ? [[MASS_SCORES[mass], perTarget[name].r2]] : [],
      );
      const line = { [VALIDATION_SCORE]: score, 'validation loss': loss, ...Object.fromEntries(parts) };
      return { score, loss, line };
    },
    progress: (line) => line[VALIDATION_SCORE],
  };
}

/** Labels mixed as the pictures of their photos were. */
function mixedFeeds(feeds: Readonly<Record<string, Feed>>, mix: BatchMix): Record<string, Feed> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      feed instanceof Float32Array ? mixTargets(feed, mix) : feed,
    ]),
  );
}
