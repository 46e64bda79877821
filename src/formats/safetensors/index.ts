export type { ArrayOfDtype, SafetensorsDtype, TensorArray } from './dtypes.ts';
export { bfloat16FromFloat32, float16FromFloat32, float32FromBfloat16, float32FromFloat16 } from './half.ts';
export type { TensorEntry } from './header.ts';
export { openSafetensors, readTensor, readTensorAsFloat32, type SafetensorsFile } from './read.ts';
export { type TensorToWrite, writeSafetensors } from './write.ts';
