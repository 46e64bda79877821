export {
  type BiomassMapRequest,
  type HeatMap,
  heatMap,
  renderBiomassMap,
  writeBiomassMap,
} from './biomass-map.ts';
export type { MassMap } from './mass-map.ts';
