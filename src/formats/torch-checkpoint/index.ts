export { readTensor, readTensorAsFloat32, requireReadable } from '../tensors/read.ts';
export { readTensorRows } from '../tensors/strided.ts';
export { openTorchCheckpoint, type TorchCheckpoint } from './open.ts';
export type { TorchTensor } from './tensor-view.ts';
