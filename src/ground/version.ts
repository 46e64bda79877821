import { readFileSync } from 'node:fs';
import { packageFile } from './package-file.ts';

/** The version of this package, from its `package.json`. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  const version = (manifest as { version?: unknown }).version;
  return typeof version === 'string' ? version : 'unknown';
}
