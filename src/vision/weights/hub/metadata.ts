import { z } from 'zod';
import type { HubSettings } from '../../../ground/environment.ts';
import { isCommit, isSha256 } from './cache.ts';
import { HubError, type HubFile, shownFile } from './errors.ts';
import { answered, fileUrl } from './request.ts';

/** What the hub says of a file before it is brought. */
export interface FileMetadata {
  readonly commit: string;
  readonly bytes: number;
  /** Names the content in the cache: SHA-256 of large files, git's object id of small ones. */
  readonly etag: string;
  readonly sha256: string | undefined;
}

/** Of the API's answers, what is used. */
const commitSchema = z.object({ sha: z.string() });
const pathsSchema = z.array(z.object({ lfs: z.object({ oid: z.string() }).optional() }));

/**
 * Asks the hub for commit, size and checksum of a file, by a request for its first byte: what the hub's own answer
 * says goes before what the content network says that it redirects to.
 *
 * @throws HubError when there is no such file, no access, no network, or the answer lacks them
 */
export async function fetchMetadata(wanted: HubFile, settings: HubSettings): Promise<FileMetadata> {
  const headers = { range: 'bytes=0-0', 'accept-encoding': 'identity' };
  const url = fileUrl(wanted, wanted.revision, settings);
  const { response, first } = await answered(url, { headers }, wanted, settings);
  await response.body?.cancel();
  const told = (name: string): string | null => first.get(name) ?? response.headers.get(name);
  // A server that ignores Range sends the whole file, and its length.
  const ranged = response.headers.get('content-range')?.split('/')[1];
  const bytes = Number(ranged ?? told('x-linked-size') ?? response.headers.get('content-length') ?? 'none');
  const etag = bareEtag(told('x-linked-etag') ?? response.headers.get('etag') ?? '');
  if (!Number.isInteger(bytes) || etag === '') {
    throw incomplete(wanted, settings, 'does not tell its size and checksum');
  }
  const sha256 = isSha256(etag) ? etag : await storedChecksum(wanted, settings);
  const commit = told('x-repo-commit') ?? '';
  return {
    commit: isCommit(commit) ? commit : await currentCommit(wanted, settings),
    bytes,
    etag: sha256 ?? etag,
    sha256,
  };
}

async function currentCommit(wanted: HubFile, settings: HubSettings): Promise<string> {
  if (isCommit(wanted.revision)) return wanted.revision;
  const answer = commitSchema.safeParse(await asked(wanted, `revision/${revisionOf(wanted)}`, {}, settings));
  if (answer.success && isCommit(answer.data.sha)) return answer.data.sha;
  throw incomplete(wanted, settings, `does not tell the commit of "${wanted.revision}"`);
}

/** The checksum of files in large-file storage; small ones have none. */
async function storedChecksum(wanted: HubFile, settings: HubSettings): Promise<string | undefined> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ paths: [wanted.file] }),
  };
  try {
    const [info] = pathsSchema.parse(await asked(wanted, `paths-info/${revisionOf(wanted)}`, init, settings));
    return info?.lfs && isSha256(info.lfs.oid) ? info.lfs.oid : undefined;
  } catch {
    // Mirrors may serve files only; the length, and a checksum of the catalogue, are still held.
    return undefined;
  }
}

/** What the hub's API says of a repository; undefined where that is no JSON. */
async function asked(
  wanted: HubFile,
  what: string,
  init: RequestInit,
  settings: HubSettings,
): Promise<unknown> {
  const url = `${settings.endpoint}/api/models/${wanted.repository}/${what}`;
  const { response } = await answered(url, init, wanted, settings);
  return response.json().catch(() => undefined);
}

const revisionOf = ({ revision }: HubFile): string => encodeURIComponent(revision);

/** An etag without quotes and weakness, fit for a file name. */
function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replaceAll(/[^A-Za-z0-9._-]/g, '');
}

function incomplete(wanted: HubFile, { endpoint }: HubSettings, what: string): HubError {
  return new HubError(`${shownFile(wanted)}: ${endpoint} ${what}; check HF_ENDPOINT`);
}
