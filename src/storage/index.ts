export { download } from './download.ts';
export { bucketOf, isObjectLocation, openStore, storedObject } from './open-store.ts';
export { type Store, type StoredObject, StoreUnreachable } from './store.ts';
