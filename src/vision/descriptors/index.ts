export { type ComputeOptions, computeDescriptors, type DescriptorTable } from './compute.ts';
export { DESCRIPTOR_NAMES, DESCRIPTOR_VERSION, describePhoto } from './describe.ts';
