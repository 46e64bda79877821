export { hasAveraged, isAveraged, withoutWrappers } from '../tensors/state-names.ts';
export { openStateDict, type StateDictFile } from './open.ts';
