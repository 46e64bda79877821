export { type Augmented, augmentPixels } from './augment.ts';
export type { AugmentationTask } from './augmented-views-worker.ts';
export { startAugmenter } from './augmenter.ts';
export {
  type BatchMix,
  cutmixBatch,
  mixBatch,
  mixTargets,
  mixupBatch,
  type PictureBatch,
} from './batch-mix.ts';
export { withoutDateStamp, withoutRedDots } from './mark-removal.ts';
export {
  type AugmentationSettings,
  augmentationPreset,
  augmentationSettings,
  changesPictures,
  OPERATION_NAMES,
  type OperationName,
  PRESET_NAMES,
} from './settings.ts';
