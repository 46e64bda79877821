export { computeDescriptors, type Describer, openDescriber } from './compute.ts';
export {
  ALIKE_DESCRIPTOR_VERSIONS,
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VERSION,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
  describePhoto,
  viewColumns,
} from './describe.ts';
export { type DescribingAhead, describeAhead } from './describe-ahead.ts';
