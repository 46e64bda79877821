import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The compiled file of a worker that lies beside its caller. Node starts workers from JavaScript only, so a
 * caller that runs from its TypeScript source (tests, benchmarks) gets the worker of the last build.
 *
 * @param callerUrl `import.meta.url` of the caller
 * @param name file name of the worker without ending (`photo-worker`)
 * @returns undefined where there is no build
 */
export function workerFile(callerUrl: string, name: string): string | undefined {
  const besideBuilt = callerUrl.endsWith('.ts')
    ? callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/')
    : callerUrl;
  const file = fileURLToPath(new URL(`./${name}.js`, besideBuilt));
  return existsSync(file) ? file : undefined;
}
