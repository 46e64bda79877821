export { type DecodeOptions, decodeOpenPhoto, decodePhoto, type Pixels } from './decode.ts';
export { type GeoPoint, inspectPhoto, type PhotoFacts, readPhotoFacts } from './inspect.ts';
export { findPhotos, isPhotoName, listPhotos, PHOTO_EXTENSIONS, type PhotoFile } from './list.ts';
export { MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS, type OpenPhoto, openPhoto } from './open.ts';
