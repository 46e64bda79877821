export { decodeOpenPhoto, decodePhoto, type OpenPhoto, openPhoto, type Pixels } from './decode.ts';
export { inspectPhoto, readPhotoFacts } from './inspect.ts';
export { isPhotoName, listPhotos } from './list.ts';
