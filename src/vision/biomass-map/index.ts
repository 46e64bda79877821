export { type BiomassMapRequest, renderBiomassMap, writeBiomassMap } from './biomass-map.ts';
export type { MassMap } from './mass-map.ts';
