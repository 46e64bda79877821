import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** What opens something: whose it is, and a secret that the server keeps the hash of alone. */
export interface NewSecret {
  readonly id: string;
  readonly hash: string;
  /** What its bearer is given, once. */
  readonly text: string;
}

/** Of 32 random bytes: nobody guesses one, so that a plain SHA-256 keeps it. */
export function newSecret(): NewSecret {
  const id = randomUUID();
  const secret = randomBytes(32).toString('base64url');
  return { id, hash: hashOf(secret), text: `${id}.${secret}` };
}

/** The two parts of what a bearer shows; null for what never was one. */
export function partsOf(text: string): { readonly id: string; readonly secret: string } | null {
  const [, id, secret] = /^([0-9a-f-]{36})\.([\w-]{43})$/.exec(text) ?? [];
  return id !== undefined && secret !== undefined ? { id, secret } : null;
}

/** Whether a secret is the one that a hash was kept of, in a time that tells nothing of where they differ. */
export function isSecretOf(secret: string, hash: string | undefined): boolean {
  const isEqual = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(hash ?? NOBODY));
  return isEqual && hash !== undefined;
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Compared with where there is nobody, so that it takes as long. */
const NOBODY = '0'.repeat(64);
