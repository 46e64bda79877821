import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import preact from '@preact/preset-vite';
import sharp from 'sharp';
import { mergeConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import engine from './vite.config.ts';

const ICON = fileURLToPath(new URL('icon.svg', import.meta.url));
const OUT = fileURLToPath(new URL('../dist/web', import.meta.url));

/** Sizes that phones ask for; the last is cut round or square by the phone, so that its picture keeps to the middle. */
const ICONS = [
  { file: 'icon-192.png', size: 192, inset: 0 },
  { file: 'icon-512.png', size: 512, inset: 0 },
  { file: 'apple-touch-icon.png', size: 180, inset: 0 },
  { file: 'icon-maskable-512.png', size: 512, inset: 64 },
] as const;
const GROUND = '#1c5a24';

/** Icons of the one drawing. */
function icons(): Plugin {
  return {
    name: 'sward-icons',
    async generateBundle() {
      for (const { file, size, inset } of ICONS) {
        const picture = sharp(ICON, { density: 300 }).resize(size - 2 * inset);
        const edges = { top: inset, bottom: inset, left: inset, right: inset };
        const source = await picture
          .extend({ ...edges, background: GROUND })
          .flatten({ background: GROUND })
          .png()
          .toBuffer();
        this.emitFile({ type: 'asset', fileName: file, source });
      }
    },
  };
}

/**
 * Files that first screens go without, by how their names begin: the engine, ONNX Runtime's loader, maps and the zip of what
 * was not sent. The app fetches them right after the shell (`src/shell/later-parts.ts`).
 */
const LATER = ['worker-', 'ort-wasm-simd-threaded-', 'leaflet', 'unsent-zip-'] as const;

/** Files that only a device whose graphics chip computes needs, likewise; they are kept once they were met. */
const GRAPHICS = ['graphics-worker-', 'ort-wasm-simd-threaded.asyncify-'] as const;

/** Files that only a device which meets a HEIC needs: libheif has 2 MB and is read by few. They are kept once they were met. */
const HEIC = ['heic-worker-', 'libheif'] as const;

/** Lists them for the app. */
function laterParts(): Plugin {
  return {
    name: 'sward-later-parts',
    writeBundle() {
      const parts = readdirSync(join(OUT, 'assets'))
        .filter((name) => /\.(js|mjs|css)$/.test(name) && LATER.some((start) => name.startsWith(start)))
        .map((name) => `/assets/${name}`);
      writeFileSync(join(OUT, 'parts.json'), JSON.stringify(parts.sort()));
    },
  };
}

/** Files below this are sent as fast as they are. */
const WORTH_BYTES = 1024;

/** Compresses what is served, once: ONNX Runtime's WebAssembly shrinks from 14 to 4 MB. */
function compressed(): Plugin {
  return {
    name: 'sward-compressed',
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        for (const name of readdirSync(OUT, { recursive: true, encoding: 'utf8' })) {
          const path = join(OUT, name);
          if (!/\.(js|mjs|css|html|svg|bin)$/.test(name) || statSync(path).size < WORTH_BYTES) continue;
          const content = readFileSync(path);
          const small = gzipSync(content, { level: 9 });
          if (small.length < 0.9 * content.length) writeFileSync(`${path}.gz`, small);
        }
      },
    },
  };
}

/** What the server knows the bundled run by, which `npm run build` exports for the app. */
const starterHash = (): string =>
  createHash('sha256')
    .update(readFileSync(new URL('../runs/starter/run.json', import.meta.url)))
    .digest('hex');

/** The app: the engine's settings, Preact, and a service worker that keeps the shell and nothing larger. */
export default mergeConfig(engine, {
  base: '/',
  define: { __STARTER_HASH__: JSON.stringify(starterHash()) },
  plugins: [
    preact({ devToolsEnabled: false, reactAliasesEnabled: false }),
    icons(),
    laterParts(),
    VitePWA({
      registerType: 'prompt',
      injectRegister: null,
      manifest: {
        id: '/',
        name: 'sward: pasture from a photo',
        short_name: 'sward',
        description: 'Photograph a quadrat and read kg DM/ha, with or without a network.',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#f4f5f0',
        theme_color: GROUND,
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      includeAssets: [],
      // Whoever installs the app has a network.
      includeManifestIcons: false,
      workbox: {
        globPatterns: ['index.html', 'assets/*.{js,mjs,css}', 'parts.json', 'manifest.webmanifest'],
        globIgnores: [...LATER, ...GRAPHICS, ...HEIC].map((start) => `assets/${start}*`),
        maximumFileSizeToCacheInBytes: 1_000_000,
        navigateFallback: 'index.html',
        navigateFallbackDenylist: [/^\/api\//, /^\/healthz$/, /^\/readyz$/, /^\/metrics$/],
        runtimeCaching: [
          {
            urlPattern: new RegExp(`/assets/(?:${HEIC.join('|')})`),
            handler: 'CacheFirst',
            options: { cacheName: 'sward-heic' },
          },
          {
            urlPattern: new RegExp(`/assets/(?:${GRAPHICS.join('|')})`),
            handler: 'CacheFirst',
            options: { cacheName: 'sward-graphics' },
          },
          { urlPattern: /\/assets\//, handler: 'CacheFirst', options: { cacheName: 'sward-parts' } },
        ],
        cleanupOutdatedCaches: true,
        clientsClaim: true,
      },
    }),
    compressed(),
  ],
});
