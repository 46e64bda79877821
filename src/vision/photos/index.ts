export { decodeOpenPhoto, decodePhoto, type OpenPhoto, openPhoto, type Pixels } from './decode.ts';
export { colourProfile } from './encoded.ts';
export { inspectPhoto, readPhotoFacts } from './inspect.ts';
export {
  besides,
  type FoundPhoto,
  findPhotos,
  isPhotoName,
  leftOutLine,
  listPhotos,
  type OnLeftOut,
  type PhotoFile,
} from './list.ts';
export { firstNear } from './near-hashes.ts';
export { type PerceptualHash, perceptualHash } from './perceptual-hash.ts';
export {
  hashPhoto,
  knownHash,
  type Photo,
  type PhotoContent,
  photoFrom,
  photoHash,
  photoName,
} from './photo.ts';
