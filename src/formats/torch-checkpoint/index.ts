export { openTorchCheckpoint, type TorchCheckpoint } from './open.ts';
export { readTensorRows, readTorchTensor, readTorchTensorAsFloat32, requireReadable } from './read.ts';
export type { TorchTensor } from './tensor-view.ts';
