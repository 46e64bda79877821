import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';

const built = join(import.meta.dirname, '..', '..', 'dist', 'web');
const read = (name: string): string => readFileSync(join(built, name), 'utf8');
const packed = (name: string): number => gzipSync(readFileSync(join(built, name)), { level: 9 }).length;

/** Parts that few need; who does fetches them then. */
const BY_WISH = /^(libheif|heic-worker-|graphics-worker-|ort-wasm-simd-threaded\.asyncify-)/;

/** Files that a file loads before it does anything, all the way down. */
function loadedWith(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  if (!/\.(js|html)$/.test(name)) return found;
  const text = read(name);
  const named = name.endsWith('.html')
    ? [...text.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path = '']) => path)
    : [...text.matchAll(/(?:^|[;}])import(?:[^'"();]*from)?["']\.\/([^"']+)["']/g)].map(
        ([, path = '']) => `assets/${path}`,
      );
  for (const path of named) loadedWith(path, found);
  return found;
}

/** What the service worker keeps. */
const kept = (): string[] => [...read('sw.js').matchAll(/url:"([^"]+)"/g)].map(([, path = '']) => path);

/** What the app keeps after it. */
const later = (): string[] => JSON.parse(read('parts.json')).map((path: string) => path.slice(1));

describe('the app as it is built', () => {
  it('shows its first screen with at most 150 kB', () => {
    const files = [...loadedWith('index.html')];
    expect(files.some((name) => /^assets\/index-.*\.js$/.test(name))).toBe(true);
    const bytes = files.reduce((sum, name) => sum + packed(name), 0);
    expect(bytes).toBeLessThan(150_000);
  });

  it('keeps a shell of at most 150 kB for times without a network, and lists all other parts to be kept after it', () => {
    const files = kept();
    expect(files).toContain('index.html');
    expect(files.reduce((sum, name) => sum + packed(name), 0)).toBeLessThan(150_000);
    expect([...loadedWith('index.html')].filter((name) => !files.includes(name)).sort()).toEqual([
      'apple-touch-icon.png',
      'icon-192.png',
    ]);
    const parts = later();
    for (const name of readdirSync(join(built, 'assets'))) {
      if (!/\.(js|mjs|css)$/.test(name) || BY_WISH.test(name)) continue;
      expect([...files, ...parts].filter((path) => path === `assets/${name}`)).toHaveLength(1);
    }
    expect(
      [...files, ...parts].filter((name) =>
        /models|runtime\/|graphics|asyncify|libheif|\.bin|\.wasm$/.test(name),
      ),
    ).toEqual([]);
    expect(parts.map((name) => name.replace(/-[\w-]{8}\./, '.'))).toContain('assets/worker.js');
  });

  it('comes to at most 25 MB with runtime and model, as it is sent', () => {
    const sizeOf = (path: string): number => statSync(existsSync(`${path}.gz`) ? `${path}.gz` : path).size;
    const folder = (name: string): number =>
      readdirSync(join(built, name), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(bin|json)$/.test(path))
        .reduce((sum, path) => sum + sizeOf(join(built, name, path)), 0);
    const shell = [...kept(), ...later()].reduce((sum, name) => sum + packed(name), 0);
    expect(shell + folder('runtime') + folder('models')).toBeLessThan(25_000_000);
  });

  it('is installed with icons of the sizes that it names', async () => {
    const { icons, display, start_url } = JSON.parse(read('manifest.webmanifest'));
    expect({ display, start_url }).toEqual({ display: 'standalone', start_url: '/' });
    expect(icons.map(({ sizes }: { sizes: string }) => sizes)).toEqual(['192x192', '512x512', '512x512']);
    for (const { src, sizes } of icons) {
      const { width, height } = await sharp(join(built, src)).metadata();
      expect(`${width}x${height}`).toBe(sizes);
    }
  });

  it('names no other origin to load anything from', () => {
    const outer = [...read('index.html').matchAll(/(?:src|href)="(?!\/)[^"]*"/g)];
    expect(outer).toEqual([]);
  });
});
