export { download } from './download.ts';
export { requireEndpoint } from './endpoint.ts';
export { bucketOf, isObjectLocation, openStore, storedObject } from './open-store.ts';
export { type Store, type StoredObject, StoreUnreachable } from './store.ts';
