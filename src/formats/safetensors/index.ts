export type { SafetensorsDtype } from '../tensors/dtypes.ts';
export { readTensor, readTensorAsFloat32, readTensors } from '../tensors/read.ts';
export type { TensorEntry } from '../tensors/strided.ts';
export { openSafetensors, type SafetensorsFile } from './read.ts';
export { headerBytes, type TensorToWrite, writeSafetensors } from './write.ts';
