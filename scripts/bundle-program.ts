/**
 * Puts the hundreds of files of the command line, which Node would open one by one, into a few under `dist/program/`, and
 * lets `dist/cli/main.js` begin there. What threads and processes begin with lies there too, under its own name and so
 * beside whoever begins it, as in `src`. What `tsc` has built stays as it is, for the library.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
/** As deep as `ground/package-file.ts` takes itself to lie. */
const OUT = join(ROOT, 'dist', 'program');

/** What a process or a thread begins with. `LimitedChild` is what begins them. */
const beginners = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /(-worker|-child|cli\/main)\.ts$/.test(path) && !path.endsWith('/limited-child.ts'))
  .map((path) => join(ROOT, 'src', path));
const names = beginners.map((path) => basename(path, '.ts'));
const twice = names.find((name, index) => names.indexOf(name) !== index);
if (twice !== undefined) throw new Error(`two files are called ${twice}, and would be one in dist/program`);

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: beginners,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  outdir: OUT,
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
});
// It keeps the mode that it has, and so can be run.
writeFileSync(join(ROOT, 'dist', 'cli', 'main.js'), "#!/usr/bin/env node\nimport '../program/main.js';\n");
