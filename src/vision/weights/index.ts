export { CATALOGUE, findBackbone, unknownBackbone } from './catalogue/catalogue.ts';
export type {
  ArchitectureName,
  BackboneConfig,
  CatalogueEntry,
  LicenceName,
  Pooling,
  Preprocessing,
} from './catalogue/entry.ts';
export { LICENCE_NOTES } from './catalogue/licences.ts';
export { HubError } from './hub/errors.ts';
export { type PullOptions, pullFile, type WantedFile } from './hub/pull.ts';
export { type LocalWeights, localWeights } from './local/local.ts';
export { backbonePrefix, holdsBackbone } from './local/stored-weights.ts';
export { originOf, type WeightsOrigin } from './origin.ts';
export {
  pulledPath,
  pullWeights,
  type ResolvedWeights,
  type ResolveOptions,
  resolveWeights,
} from './resolve.ts';
export { resolveTrainedWeights } from './trained-with.ts';
