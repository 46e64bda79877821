export { decodeOpenPhoto, decodePhoto, type OpenPhoto, openPhoto } from './decode.ts';
export { colourProfile } from './encoded.ts';
export { inspectPhoto, readPhotoFacts } from './inspect.ts';
export {
  besides,
  commonFolder,
  type FoundPhoto,
  findPhotos,
  foundPhotos,
  isPhotoName,
  leftOutLine,
  listPhotos,
  type OnLeftOut,
  type PhotoFile,
} from './list.ts';
export { firstNear } from './near-hashes.ts';
export { type PerceptualHash, perceptualHash } from './perceptual-hash.ts';
export {
  type FramedPhoto,
  hashPhoto,
  isFramed,
  knownHash,
  type Photo,
  type PhotoContent,
  photoFrom,
  photoHash,
  photoKey,
  photoName,
  type WholePhoto,
  wholePhoto,
} from './photo.ts';
export type { Pixels } from './pixels.ts';
export type { Quadrilateral } from './quadrilateral.ts';
