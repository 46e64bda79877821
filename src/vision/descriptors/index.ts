export { computeDescriptors } from './compute.ts';
export {
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VERSION,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
  describePhoto,
  viewColumns,
} from './describe.ts';
