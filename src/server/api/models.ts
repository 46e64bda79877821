import { STARTER } from '../../runs/bundled-runs.ts';
import type { authenticate } from '../access/authenticate.ts';
import { found } from '../answers/refusal.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, needs } from './route.ts';

/**
 * `/models`: runs as the app's engine evaluates them. The starter's is for whoever asks, as the app is; those of the farm
 * are for its devices.
 */
export function addModels(
  api: Api,
  { runs, phoneModels }: Farm,
  known: ReturnType<typeof authenticate>,
): void {
  const headers = (name: string): Record<string, string> =>
    name.endsWith('.json')
      ? { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' }
      : {
          'Content-Type': 'application/octet-stream',
          'Cache-Control': 'private, max-age=31536000, immutable',
        };
  api.get(`/models/${STARTER}/:file`, async (context) => {
    const { file } = context.req.param();
    return context.body(await phoneModels.file(await runs.find(STARTER), file), 200, headers(file));
  });
  api.get('/models/:hash/:file', known, needs('viewer'), async (context) => {
    const { hash, file } = context.req.param();
    const run = found(await runs.findByHash(hash), 'run');
    return context.body(await phoneModels.file(run, file), 200, headers(file));
  });
}
