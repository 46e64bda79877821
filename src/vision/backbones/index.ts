export type { HuggingFaceSetting, Shapes } from './architecture.ts';
export {
  type Backbone,
  type BackboneOutput,
  type ForwardOptions,
  lastBlocks,
  layerOf,
  type Size,
  type TokenMap,
} from './backbone.ts';
export type { Layout, Rule } from './layout.ts';
export {
  type BackboneConfig,
  LICENCE_NOTES,
  type Preprocessing,
  type PublishedWeights,
} from './published.ts';
export { ARCHITECTURE_NAMES, ARCHITECTURES, makeBackbone, recogniseShapes } from './registry.ts';
export { backboneParameters, checkWeights, tensorProblems } from './weights-check.ts';
