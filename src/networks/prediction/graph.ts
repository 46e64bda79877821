import { randomStream } from '../../ground/random.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import { cast, mean, reshape, type SafetensorsFile, Scope, stack, type Tensor } from '../../tensor/index.ts';
import { viewFeatures } from '../../vision/features/index.ts';
import { conceptScoresGraph } from '../heads/concepts.ts';
import { columnsOf, featuresOfRows } from '../heads/features.ts';
import { heads, physicalGraph } from '../heads/heads.ts';
import { backboneScope, type PhotoBackbone } from '../inputs/photos.ts';
import type { NetworkSettings } from '../settings/network.ts';
import { forStorage, type NetworkModel } from './model-files.ts';

/**
 * What a trained network predicts of rows of features, the mean over its members, as a graph; weights have the
 * precision they are stored in.
 *
 * @param features `[batch, features]`
 * @param under what names of its weights begin with
 * @param covariates `[batch, covariates]` on the scale that models read, where the network was shown any
 * @returns `[batch, 5]` float64, physical masses in grams
 */
export function massesGraph(
  { members, shape, concepts }: NetworkModel,
  settings: NetworkSettings,
  under: string,
  features: Tensor,
  covariates?: Tensor,
): Tensor {
  const kept = columnsOf(shape) - shape.extra;
  const rows = cast(concepts ? conceptScoresGraph(features, kept, concepts) : features, 'float32');
  const answers = members.map((weights, member) => {
    const scope = Scope.root({ random: randomStream(0) })
      .in(`${under}member-${member}`)
      .withValues(forStorage(weights, settings.storage));
    const inputs = {
      ...featuresOfRows(rows, shape),
      ...(shape.covariates && covariates && { covariates: cast(covariates, 'float32') }),
    };
    const { masses } = heads(scope, inputs, settings);
    return physicalGraph(masses, settings.architecture);
  });
  return mean(stack(answers, 0), { axes: [0] });
}

/**
 * What a backbone makes of views, with what was trained of it in place of the published weights, as a graph.
 *
 * @param views `[views, 3, size, size]`, normalised
 * @returns `[views, width]`
 */
export function viewFeaturesGraph(
  net: PhotoBackbone,
  { fineTune }: NetworkSettings,
  trained: SafetensorsFile,
  views: Tensor,
): Tensor {
  const scope = backboneScope(net, fineTune, {
    random: randomStream(0),
    part: { trains: (name) => trained.tensors.has(name), rate: 0 },
    variable: false,
    trained,
  });
  const pooled = viewFeatures(net.backbone, scope.forInference(), views, net.plan);
  return reshape(pooled, [lengthAt(pooled.shape, 0), -1]);
}
