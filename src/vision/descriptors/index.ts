export { type ComputeOptions, computeDescriptors, type DescriptorTable } from './compute.ts';
export {
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VERSION,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
  describePhoto,
  viewColumns,
} from './describe.ts';
