import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from '../ground/environment.ts';
import { UsageError } from '../ground/errors.ts';
import { FileStore } from './file-store.ts';
import { S3Store } from './s3-store.ts';
import type { Store } from './store.ts';

/** Whether something is in a store of objects, and in no folder. */
export const isObjectLocation = (location: string): boolean => location.startsWith('s3://');

/** The bucket that an object location names, and what follows it. @throws UsageError where it names none */
export function bucketOf(location: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(location) ?? [];
  if (bucket === '') throw new UsageError(`${location}: name the bucket, as s3://bucket/prefix`);
  return { bucket, prefix };
}

/**
 * Opens a place to keep things: `s3://bucket/prefix`, `file:///folder`, or the path of a folder.
 *
 * @throws UsageError for another scheme, or where nobody has said who asks the store
 */
export function openStore(location: string): Store {
  if (isObjectLocation(location)) {
    const { bucket, prefix } = bucketOf(location);
    const { objectStore } = environment();
    if (!objectStore) {
      throw new UsageError(
        `${location}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL where it is not Amazon's`,
      );
    }
    return new S3Store(bucket, prefix.replace(/\/+$/, ''), objectStore);
  }
  if (location.startsWith('file:')) {
    const isUrl = location.startsWith('file://');
    return new FileStore(resolve(isUrl ? fileURLToPath(location) : location.slice('file:'.length)));
  }
  if (/^\w\w+:\/\//.test(location)) {
    throw new UsageError(`${location}: give a folder that all machines see, or s3://bucket/prefix`);
  }
  return new FileStore(resolve(location));
}

/** An object by its full location: the store it is in, and its key there. */
export function storedObject(location: string): { readonly store: Store; readonly key: string } {
  const path = location.replace(/^file:(\/\/)?/, '');
  const slash = path.lastIndexOf('/');
  return { store: openStore(path.slice(0, slash + 1) || '.'), key: path.slice(slash + 1) };
}
