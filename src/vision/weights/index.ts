export { LICENCE_NOTES, type Preprocessing } from '../backbones/index.ts';
export { BUNDLED, bundledBackbone } from './bundled.ts';
export { CATALOGUE, type CatalogueEntry, findBackbone, unknownBackbone } from './catalogue.ts';
export { HubError } from './hub/errors.ts';
export { type LocalWeights, localWeights, WEIGHTS_IN_FOLDERS, weightFilesOf } from './local.ts';
export { originOf, originSchema } from './origin.ts';
export {
  pulledPath,
  pullWeights,
  type ResolvedWeights,
  resolveTrainedWeights,
  resolveWeights,
} from './resolve.ts';
export { describedBeside, statedPrefix } from './stated.ts';
export { backbonePrefix, holdsBackbone } from './stored-weights.ts';
