export { CROP_FORMS, type Crop, parseCrop } from './crop.ts';
export { findFrame, LOOKED_AT } from './find-frame.ts';
export { type Framing, framedPhotos, framingOf } from './framed-photos.ts';
export { framesLine } from './frames-count.ts';
