import { fileDownloadInfo, InvalidApiResponseFormatError, modelInfo, pathsInfo } from '@huggingface/hub';
import type { HubSettings } from '../../../ground/environment.ts';
import { isCommit, isSha256 } from './cache.ts';
import { HubError, type HubFile, shownFile } from './errors.ts';
import { clientFetch, headersOnlyFetch } from './request.ts';

/** What the hub says of a file before it is brought. */
export interface FileMetadata {
  readonly commit: string;
  readonly bytes: number;
  /** Names the content in the cache: SHA-256 of large files, git's object id of small ones. */
  readonly etag: string;
  readonly sha256: string | undefined;
}

/**
 * Asks the hub for commit, size and checksum of a file.
 *
 * @throws HubError when there is no such file, no access, no network, or the answer lacks them
 */
export async function fetchMetadata(wanted: HubFile, settings: HubSettings): Promise<FileMetadata> {
  const common = { hubUrl: settings.endpoint, revision: wanted.revision };
  let seen: Headers | undefined;
  const headersOnly = headersOnlyFetch(wanted, settings);
  const info = await fileDownloadInfo({
    repo: { type: 'model', name: wanted.repository },
    path: wanted.file,
    ...common,
    fetch: async (url, init) => {
      const response = await headersOnly(url, init);
      seen = response.headers;
      return response;
    },
  }).catch((error) => {
    if (!(error instanceof InvalidApiResponseFormatError)) throw error;
    throw incomplete(wanted, settings, `does not tell its size and checksum (${error.message})`);
  });
  if (info === null) throw incomplete(wanted, settings, 'does not have it');
  const etag = bareEtag(info.etag);
  const told = seen?.get('x-repo-commit') ?? '';
  const sha256 = isSha256(etag) ? etag : await storedChecksum(wanted, settings);
  return {
    commit: isCommit(told) ? told : await currentCommit(wanted, settings),
    bytes: info.size,
    etag: sha256 ?? etag,
    sha256,
  };
}

async function currentCommit(wanted: HubFile, settings: HubSettings): Promise<string> {
  if (isCommit(wanted.revision)) return wanted.revision;
  const { sha } = await modelInfo({
    name: wanted.repository,
    revision: wanted.revision,
    additionalFields: ['sha'],
    hubUrl: settings.endpoint,
    fetch: clientFetch(wanted, settings),
  });
  if (isCommit(sha)) return sha;
  throw incomplete(wanted, settings, `does not tell the commit of "${wanted.revision}"`);
}

/** The checksum of files in large-file storage; small ones have none. */
async function storedChecksum(wanted: HubFile, settings: HubSettings): Promise<string | undefined> {
  try {
    const [info] = await pathsInfo({
      repo: { type: 'model', name: wanted.repository },
      paths: [wanted.file],
      revision: wanted.revision,
      hubUrl: settings.endpoint,
      fetch: clientFetch(wanted, settings),
    });
    const oid = info?.lfs?.oid;
    return oid !== undefined && isSha256(oid) ? oid : undefined;
  } catch {
    // Mirrors may serve files only; the length, and a checksum of the catalogue, are still held.
    return undefined;
  }
}

/** An etag without quotes and weakness, fit for a file name. */
function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll(/[^A-Za-z0-9._-]/g, '');
}

function incomplete(wanted: HubFile, { endpoint }: HubSettings, what: string): HubError {
  return new HubError(`${shownFile(wanted)}: ${endpoint} ${what}; check HF_ENDPOINT`);
}
