import type { HubSettings } from '../../../ground/environment.ts';
import { messageOf, SwardError } from '../../../ground/errors.ts';

/** Weights could not be brought from the hub; the message says why and what helps. */
export class HubError extends SwardError {
  override name = 'HubError';
  /** Whether trying again may help. */
  readonly passing: boolean;
  /** Whether the hub says that there is no such thing. */
  readonly absent: boolean;

  constructor(message: string, { passing = false, absent = false } = {}) {
    super(message);
    this.passing = passing;
    this.absent = absent;
  }
}

/** A file on the hub. */
export interface HubFile {
  /** `organisation/name`. */
  readonly repository: string;
  /** Commit or branch. */
  readonly revision: string;
  readonly file: string;
}

/** `timm/x model.safetensors` as messages name it. */
export const shownFile = ({ repository, file }: HubFile): string => `${repository} ${file}`;

/** The error for an answer other than success. */
export function statusError(
  status: number,
  code: string | null,
  wanted: HubFile,
  { endpoint, token }: HubSettings,
): HubError {
  const page = `${endpoint}/${wanted.repository}`;
  const what = shownFile(wanted);
  if (code === 'GatedRepo' || status === 403) {
    return new HubError(
      token === undefined
        ? `${what}: the repository is gated (${status}); ask for access at ${page}, then set HF_TOKEN to a read token from ${endpoint}/settings/tokens`
        : `${what}: this token has no access (${status}); accept the terms at ${page} with the token's account, or set HF_TOKEN to a token that may read gated repositories`,
    );
  }
  if (status === 401) {
    return new HubError(
      token === undefined
        ? `${what}: the hub wants a token (401): the repository is gated, private or not there; see ${page}, then set HF_TOKEN to a read token from ${endpoint}/settings/tokens`
        : `${what}: the hub refuses the token (401); set HF_TOKEN to a valid read token from ${endpoint}/settings/tokens, and ask for access at ${page} if it is gated`,
    );
  }
  if (status === 404) {
    const missing: Readonly<Record<string, string>> = {
      RepoNotFound: 'there is no such repository',
      RevisionNotFound: `there is no revision "${wanted.revision}"`,
      EntryNotFound: 'there is no such file',
    };
    const reason = missing[code ?? ''] ?? `nothing there at revision "${wanted.revision}"`;
    return new HubError(`${what}: ${reason} (404); check the name at ${page}, and HF_ENDPOINT if it is set`, {
      absent: true,
    });
  }
  const passing = status === 408 || status === 429 || status >= 500;
  const remedy = passing ? 'try again later' : `check HF_ENDPOINT (${endpoint})`;
  return new HubError(`${what}: the hub answers ${status}; ${remedy}`, { passing });
}

/** The error for a request that got no answer. */
export function networkError(error: unknown, wanted: HubFile, { endpoint }: HubSettings): HubError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = codeOf(cause) ?? codeOf(error);
  const detail = code === undefined ? messageOf(cause) : code;
  return new HubError(
    `${shownFile(wanted)}: cannot reach ${endpoint} (${detail}); check the network, or HF_ENDPOINT for a mirror; what has arrived is kept and the next pull goes on from there`,
    { passing: true },
  );
}

/** The error for a write that failed; undefined where `error` is none. */
export function diskError(error: unknown, folder: string, missingBytes: number): HubError | undefined {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return fullDisk(folder, missingBytes);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new HubError(`${folder}: cannot be written to (${code}); set HF_HOME to a folder that can`);
  }
  return undefined;
}

/** The error for a disk without room. */
export function fullDisk(folder: string, missingBytes: number): HubError {
  return new HubError(
    `${folder}: the disk is full, ${shownBytes(missingBytes)} more are needed; make room or set HF_HOME to a folder on another disk, then pull again`,
  );
}

/** `1.21 GB`; decimal units, as the hub has them. */
export function shownBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${Number(value.toPrecision(3))} ${units[power]}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
