export { type BiomassMapRequest, renderBiomassMap, writeBiomassMap } from './biomass-map.ts';
export { MAPPED_MASSES, type MappedMass, type MassMap } from './mass-map.ts';
