export type {
  Architecture,
  Backbone,
  BackboneOutput,
  ForwardOptions,
  InputSizeRule,
  Size,
  TokenMap,
} from './backbone.ts';
export { lastBlocks, layerOf } from './partition.ts';
export { ARCHITECTURE_NAMES, makeBackbone } from './registry.ts';
export { backboneParameters, checkWeights, tensorProblems } from './weights-check.ts';
