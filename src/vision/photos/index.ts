export { decodeOpenPhoto, decodePhoto, type OpenPhoto, openPhoto, type Pixels } from './decode.ts';
export { inspectPhoto, readPhotoFacts } from './inspect.ts';
export { findPhotos, isPhotoName, listPhotos, type PhotoFile } from './list.ts';
export {
  hashPhoto,
  knownHash,
  type Photo,
  type PhotoContent,
  photoFrom,
  photoHash,
  photoName,
} from './photo.ts';
