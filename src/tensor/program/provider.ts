import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, SwardError, UsageError } from '../../ground/errors.ts';
import type { Precision } from '../precision/lists.ts';
import { type InferenceSession, listSupportedBackends } from './runtime.ts';

/** Where a program runs. Only `cpu` is everywhere. */
export const PROVIDERS = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;

export type Provider = (typeof PROVIDERS)[number];

/**
 * In what each provider computes products: the CPU in halves only by way of casts, and slowly, in int8 fast where it has
 * VNNI or AMX; cards have no kernel for int8. Core ML and DirectML were not tried.
 */
export const PRECISIONS_ON: Readonly<Record<Provider, readonly Precision[]>> = {
  cpu: ['float32', 'float16', 'int8'],
  cuda: ['float32', 'float16', 'bfloat16'],
  webgpu: ['float32', 'float16'],
  coreml: ['float32', 'float16'],
  dml: ['float32', 'float16'],
};

export interface ProviderOptions {
  /** Default `cpu`. */
  readonly provider?: string;
  /** When given, a provider that cannot be used is replaced by the CPU, and this is told why. */
  readonly onFallback?: (warning: string) => void;
}

const REMEDIES: Readonly<Record<Provider, string>> = {
  cpu: 'reinstall onnxruntime-node',
  cuda: 'install the CUDA libraries (npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12) or use cpu',
  webgpu: 'use a machine with a GPU and its Vulkan driver, or use cpu',
  coreml: 'Core ML exists on macOS only; use cpu',
  dml: 'DirectML exists on Windows only; use cpu',
};

/** The name as a provider. @throws UsageError for an unknown one */
function parseProvider(name: string): Provider {
  const found = PROVIDERS.find((provider) => provider === name);
  if (found === undefined) {
    throw new UsageError(`unknown provider "${name}"; choose one of ${PROVIDERS.join(', ')}`);
  }
  return found;
}

/**
 * Opens a session on the provider asked for, or, where the caller allows it, aloud on the CPU.
 *
 * @throws UsageError for an unknown provider
 * @throws SwardError when the provider is not in this build, or refuses to start
 */
export async function openOn<Session>(
  options: ProviderOptions,
  open: (providers: InferenceSession.ExecutionProviderConfig[]) => Promise<Session>,
): Promise<{ readonly session: Session; readonly provider: Provider }> {
  const provider = parseProvider(options.provider ?? 'cpu');
  if (provider === 'cpu') return { session: await openOnCpu(open), provider };
  try {
    requireInstalled(provider);
    return { session: await open([provider, 'cpu']), provider };
  } catch (error) {
    const problem = `provider ${provider} cannot be used: ${reasonOf(error)}`;
    if (options.onFallback === undefined) throw new SwardError(`${problem}; ${REMEDIES[provider]}`);
    options.onFallback(`${problem}; continuing on cpu`);
    return { session: await openOnCpu(open), provider: 'cpu' };
  }
}

async function openOnCpu<Session>(
  open: (providers: InferenceSession.ExecutionProviderConfig[]) => Promise<Session>,
): Promise<Session> {
  try {
    return await open(['cpu']);
  } catch (error) {
    throw new SwardError(
      `ONNX Runtime cannot run this program on the CPU: ${reasonOf(error)}; if it computes in half precision, use float32`,
    );
  }
}

/**
 * Looks before ONNX Runtime does, which reports a missing library on stderr in its own words.
 *
 * @throws SwardError when the provider is not in this build, or its library was never fetched
 */
function requireInstalled(provider: Provider): void {
  const backend = listSupportedBackends().find(({ name }) => name === provider);
  if (backend === undefined) {
    throw new SwardError(`not part of onnxruntime-node on ${process.platform} ${process.arch}`);
  }
  const library = `onnxruntime_providers_${provider}.`;
  if (backend.bundled) return;
  const files = libraryFolders().flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }),
  );
  if (!files.some((file) => file.includes(library))) {
    throw new SwardError(`its library (${library}*) is not installed`);
  }
}

/** Where ONNX Runtime looks for providers: in its package, or beside the copy of itself that `LD_LIBRARY_PATH` named. */
function libraryFolders(): string[] {
  const binaries = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..', 'bin');
  const loaded = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : '';
  const own = [...loaded.matchAll(/\S*\/libonnxruntime\.so\S*$/gm)].map(([path]) => dirname(path));
  return [...new Set([binaries, ...own])];
}

/** The last sentence of ONNX Runtime's report: what failed, without the source line it failed in. */
function reasonOf(error: unknown): string {
  const [line = ''] = messageOf(error).split('\n');
  const [failure] = /CUDA failure \d+: [^;]*\w/.exec(line) ?? [];
  return failure ?? line.split(' was false. ').at(-1) ?? line;
}
