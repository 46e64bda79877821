import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

/** How a site behaves; tests change it while it runs. */
export interface SiteBehaviour {
  /** Requests that are refused, as by a server that is down. */
  refuses: (path: string) => boolean;
  /** Requests that are never answered, as by a network that is none. */
  stalls: (path: string) => boolean;
  /** Requests whose connection ends halfway. */
  cuts: (path: string) => boolean;
  /** Changes what is sent. */
  alters: (path: string, content: Buffer) => Buffer;
}

/** A server of folders on this machine, with the headers that threads in browsers need. */
export interface StaticSite extends SiteBehaviour, AsyncDisposable {
  readonly address: string;
  /** Requests that were answered, with the bytes that were sent, compressed as they were. */
  readonly answered: { readonly path: string; readonly bytes: number }[];
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
};

/** Compresses what is asked for again and again once. */
function compressing(): (content: Buffer) => Buffer {
  const known = new Map<string, Buffer>();
  return (content) => {
    const hash = createHash('sha256').update(content).digest('hex');
    const sent = known.get(hash) ?? gzipSync(content, { level: 6 });
    known.set(hash, sent);
    return sent;
  };
}

/** @param folders by the start of the path they are served under, the longest first */
export async function serveFolders(folders: Readonly<Record<string, string>>): Promise<StaticSite> {
  const answered: StaticSite['answered'] = [];
  const compressed = compressing();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    void (async () => {
      if (site.stalls(path)) return;
      const start = Object.keys(folders).find((prefix) => path.startsWith(prefix)) ?? '';
      const rest = normalize(`/${path.slice(start.length)}`);
      const file = join(folders[start] ?? '', rest.endsWith('/') ? `${rest}index.html` : rest);
      const content = site.refuses(path) ? null : await readFile(file).catch(() => null);
      if (content === null) {
        response.writeHead(503).end();
        return;
      }
      const sent = compressed(site.alters(path, content));
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-encoding': 'gzip',
        'content-length': sent.length,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
      });
      if (site.cuts(path)) {
        response.write(sent.subarray(0, sent.length / 2), () => response.destroy());
        return;
      }
      response.end(sent);
      answered.push({ path, bytes: sent.length });
    })();
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const site: StaticSite = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    refuses: () => false,
    stalls: () => false,
    cuts: () => false,
    alters: (_, content) => content,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((settle) => server.close(settle));
    },
  };
  return site;
}
