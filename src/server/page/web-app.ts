import { existsSync } from 'node:fs';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Api } from '../api/route.ts';

/** Files whose names change with their contents: models and the runtime in pieces, and what the page loads. */
const LASTING = /^\/(assets|runtime|graphics)\/|^\/models\/.*\.bin$/;

/**
 * Serves the app that `npm run build` makes, from a folder, to whoever asks: it holds nothing of the farm.
 *
 * @param root folder with `index.html`; where it is not there, the page says how it is made
 */
export function addWebApp(app: Api, root: string): void {
  if (!existsSync(root)) {
    app.get('/', (context) =>
      context.text('The app is not built here: npm run build makes it. The API answers at /api/docs.'),
    );
    return;
  }
  app.use(
    '*',
    serveStatic({
      root,
      precompressed: true,
      onFound: (_, context) => {
        const lasts = LASTING.test(context.req.path);
        context.header('Cache-Control', lasts ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  );
}

/** What scripts under `/assets/` may do: the worker that estimates compiles WebAssembly, which the page itself may not. */
export const WORKER_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
