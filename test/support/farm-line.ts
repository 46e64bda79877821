import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The line between a phone and its farm's server: it is cut, it is slow, and what comes over it may be another's. */
export interface FarmLine extends AsyncDisposable {
  readonly address: string;
  /** Nothing gets through, and what is under way is cut. */
  down(): void;
  up(): void;
  /** Cuts each of the next requests that send more than so many bytes, once they have. */
  cutAfter(bytes: number, times: number): void;
  /** How often it was cut so. */
  readonly cuts: number;
  /** Changes what the server answers; null leaves it. */
  alter: (path: string, answer: Buffer) => Buffer | null;
  /** Methods and paths that came through. */
  readonly seen: string[];
}

/** @param server its address */
export async function farmLine(server: string): Promise<FarmLine> {
  const { hostname, port } = new URL(server);
  let isDown = false;
  let budget = { bytes: 0, times: 0 };
  let cuts = 0;
  const seen: string[] = [];
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const path = incoming.url ?? '/';
    if (isDown) {
      incoming.socket.destroy();
      return;
    }
    seen.push(`${incoming.method} ${path}`);
    const headers = { ...incoming.headers };
    // What is altered is altered as it is read.
    delete headers['accept-encoding'];
    const onward = ask({ hostname, port, path, method: incoming.method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      const { 'content-length': length, ...rest } = answer.headers;
      if (/event-stream/.test(answer.headers['content-type'] ?? '')) {
        outgoing.writeHead(answer.statusCode ?? 502, rest);
        answer.pipe(outgoing);
        return;
      }
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const whole = Buffer.concat(chunks);
        const sent = line.alter(path, whole);
        // HEAD tells a length without a body.
        const shown = incoming.method === 'HEAD' ? length : String((sent ?? whole).length);
        outgoing.writeHead(answer.statusCode ?? 502, {
          ...rest,
          ...(shown !== undefined && { 'content-length': shown }),
        });
        outgoing.end(sent ?? whole);
      });
    });
    onward.on('error', () => incoming.socket.destroy());
    let sent = 0;
    incoming.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      onward.write(chunk);
      if (budget.times === 0 || sent <= budget.bytes) return;
      budget = { ...budget, times: budget.times - 1 };
      cuts++;
      // What was sent so far reaches the server; the answer does not come.
      setTimeout(() => {
        onward.destroy();
        incoming.socket.destroy();
      }, 50);
    });
    incoming.on('end', () => onward.end());
    incoming.on('close', () => {
      if (!incoming.complete) onward.destroy();
    });
  };
  const proxy = createServer(pass);
  await new Promise<void>((settle) => proxy.listen(0, '127.0.0.1', settle));
  const line: FarmLine = {
    address: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    down() {
      isDown = true;
      proxy.closeAllConnections();
    },
    up() {
      isDown = false;
    },
    cutAfter(bytes, times) {
      budget = { bytes, times };
    },
    get cuts() {
      return cuts;
    },
    alter: () => null,
    seen,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((settle) => proxy.close(settle));
    },
  };
  return line;
}
