import type { DetailedError } from 'tus-js-client';
import type { PhotoRecord } from '../../../src/farm/index.ts';
import { refusalOf, Unreachable } from './farm-server.ts';

/** Parts of a photo are sent in so many bytes: what is cut goes on at the part it stopped in, whatever lies between. */
const PART_BYTES = 512 * 1024;

const ENDPOINT = '/api/uploads';

/**
 * Sends a photo, going on where an earlier try was cut: uploads are called by the photo's id, so that even what this
 * device has forgotten is found.
 *
 * @throws ServerRefusal, Unreachable
 */
export async function sendPhoto(
  record: PhotoRecord,
  file: Blob,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { Upload } = await import('tus-js-client');
  return new Promise((settle, fail) => {
    const upload = new Upload(file, {
      endpoint: ENDPOINT,
      uploadUrl: `${ENDPOINT}/${record.id}`,
      metadata: { record: JSON.stringify(record) },
      chunkSize: PART_BYTES,
      storeFingerprintForResuming: false,
      // The outbox tries again, when there is a network.
      retryDelays: null,
      onProgress: (sent, total) => onProgress(total > 0 ? sent / total : 0),
      onSuccess: () => settle(),
      onError: (error) => fail(failureOf(error)),
    });
    signal.addEventListener('abort', () => {
      void upload.abort();
      fail(new Unreachable('ended'));
    });
    upload.start();
  });
}

function failureOf(error: Error): Error {
  // Errors of its own have the response, those of the code that it calls have none.
  const response = (error as Partial<DetailedError>).originalResponse ?? null;
  const status = response?.getStatus() ?? 0;
  return status === 0 ? new Unreachable(error.message) : refusalOf(status, response?.getBody() ?? '');
}
