import { decodePhoto } from '../../../web/src/engine/decode.ts';
import { sha256Of } from '../../../web/src/engine/download.ts';
import { Engine } from '../../../web/src/engine/engine.ts';

/** What tests drive: engines by name, each with its model. */
const engines = new Map<string, Engine>();

function engineOf(name: string): Engine {
  const engine = engines.get(name) ?? new Engine();
  engines.set(name, engine);
  return engine;
}

const addressOf = (path: string): URL => new URL(path, location.href);

const driver = {
  /** @returns what was opened, and how much had been loaded at each report */
  async open(name: string, model: string) {
    const progress: number[] = [];
    const opened = await engineOf(name).open(
      { model: addressOf(model), runtime: addressOf('runtime/') },
      ({ loaded }) => progress.push(loaded),
    );
    return { ...opened, progress };
  },
  useGraphics: (name: string, patience: number) =>
    engineOf(name).useGraphics(addressOf('graphics/'), { patience }),
  leaveGraphics: (name: string) => engineOf(name).leaveGraphics(),
  async estimate(name: string, photo: string) {
    const blob = await (await fetch(addressOf(photo))).blob();
    const start = performance.now();
    const estimate = await engineOf(name).estimate(photo, blob);
    return { ...estimate, seconds: (performance.now() - start) / 1000 };
  },
  /** Size and hash of a photo's pixels as the engine decodes it. */
  async decode(photo: string) {
    const bytes = new Uint8Array(await (await fetch(addressOf(photo))).arrayBuffer());
    const { width, height, data } = await decodePhoto(photo, bytes);
    return { width, height, sha256: await sha256Of(Uint8Array.from(data)) };
  },
  release: (name: string) => engineOf(name).release(),
  close(name: string): void {
    engineOf(name).close();
    engines.delete(name);
  },
  isolated: () => crossOriginIsolated,
};

export type Driver = typeof driver;

Object.assign(globalThis, { driver });
