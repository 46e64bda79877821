import { randomStream } from '../../ground/random.ts';
import type { ModelGraph } from '../../learning/estimator.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import { cast, reshape, type SafetensorsFile, type Tensor } from '../../tensor/index.ts';
import { pooledFeatures } from '../../vision/features/index.ts';
import type { NetworkModel } from '../network/model-files.ts';
import { networkGraph } from '../network/network-graph.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { backboneScope, type PhotoBackbone } from './photo-backbone.ts';

/**
 * A network with a backbone of its own as graphs: what the backbone makes of views, with what was trained of it in
 * place of the published weights, and what the heads make of that.
 */
export function photoNetworkGraph(
  { backbone, file, plan }: PhotoBackbone,
  settings: NetworkSettings,
  network: NetworkModel,
  trained: SafetensorsFile,
): ModelGraph {
  return {
    masses: (features) => networkGraph(network, settings, features),
    viewFeatures(views): Tensor {
      const scope = backboneScope({ file }, settings.fineTune, {
        random: randomStream(0),
        part: { trains: (name) => trained.tensors.has(name), rate: 0 },
        variable: false,
        trained,
      });
      const output = backbone.forward(scope.forInference(), cast(views, scope.computeType));
      const pooled = cast(pooledFeatures(backbone, output, plan), 'float32');
      return reshape(pooled, [lengthAt(pooled.shape, 0), -1]);
    },
  };
}
