import { fileURLToPath } from 'node:url';

/** The package's folder, as far from the sources as from what is built of them. */
const ROOT = new URL('../../', import.meta.url);

/** Where a file or folder that comes with sward lies. @param path from the package's folder on */
export const packageFile = (path: string): string => fileURLToPath(new URL(path, ROOT));
