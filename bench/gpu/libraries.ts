import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { environment } from '../../src/ground/environment.ts';
import { messageOf, SwardError } from '../../src/ground/errors.ts';
import { listSupportedBackends } from '../../src/tensor/program/runtime.ts';
import { pythonsWith } from '../yardstick/python.ts';

const PACKAGE = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
const BINARIES = join(PACKAGE, 'bin', 'napi-v6', process.platform, process.arch);
const CUDA = 'libonnxruntime_providers_cuda.so';
const LIBRARIES = [CUDA, 'libonnxruntime_providers_shared.so'];

/** Takes the provider's libraries out of a wheel. */
const UNZIP = `
import glob, os, shutil, sys, zipfile
wheel, = glob.glob(sys.argv[1] + '/onnxruntime_gpu-*.whl')
with zipfile.ZipFile(wheel) as z:
    for name in sys.argv[2:]:
        path = sys.argv[1] + '/' + name
        with z.open('onnxruntime/capi/' + name) as source, open(path + '.part', 'wb') as to:
            shutil.copyfileobj(source, to)
        os.replace(path + '.part', path)
os.remove(wheel)
`;

/** Folders of NVIDIA's libraries that came with a Python's packages. */
const NVIDIA = `
import glob, sysconfig
print('\\n'.join(glob.glob(sysconfig.get_path('purelib') + '/nvidia/*/lib')))
`;

/**
 * What the environment of a process must have so that ONNX Runtime finds its CUDA provider: nothing where
 * onnxruntime-node's own install has it; else the folder `SWARD_CUDA_LIBRARIES`, or one in the cache into which the
 * wheel of the same version is fetched, with a copy of ONNX Runtime that looks for providers beside itself.
 *
 * @throws SwardError when there is neither
 */
export function cudaEnvironment(): NodeJS.ProcessEnv {
  if (!listSupportedBackends().some(({ name }) => name === 'cuda')) {
    throw new SwardError(`onnxruntime-node knows no CUDA on ${process.platform} ${process.arch}`);
  }
  const [python] = pythonsWith(['sysconfig']);
  const nvidia = python ? execFileSync(python, ['-c', NVIDIA], { encoding: 'utf8' }).split('\n') : [];
  const known = [...nvidia, '/usr/local/cuda/lib64', process.env.LD_LIBRARY_PATH ?? ''];
  const own = existsSync(join(BINARIES, CUDA)) ? [] : [providerFolder(python)];
  return { LD_LIBRARY_PATH: [...own, ...known].filter(Boolean).join(':') };
}

function providerFolder(python: string | undefined): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const given = process.env.SWARD_CUDA_LIBRARIES;
  const folder = given ?? join(environment().cacheFolder, `onnxruntime-gpu-${version}`);
  if (!existsSync(join(folder, CUDA))) {
    if (given) throw new SwardError(`SWARD_CUDA_LIBRARIES ${given} has no ${CUDA}`);
    fetchWheel(python, version, folder);
  }
  for (const name of readdirSync(BINARIES).filter((file) => file.startsWith('libonnxruntime.so'))) {
    if (!existsSync(join(folder, name))) copyFileSync(join(BINARIES, name), join(folder, name));
  }
  return folder;
}

function fetchWheel(python: string | undefined, version: string, folder: string): void {
  if (python === undefined)
    throw new SwardError('no Python to fetch the CUDA provider with; set SWARD_PYTHON');
  console.error(`fetching onnxruntime-gpu ${version} (about 250 MB) into ${folder}`);
  mkdirSync(folder, { recursive: true });
  const wheel = `onnxruntime-gpu==${version}`;
  try {
    execFileSync(python, ['-m', 'pip', 'download', '-q', '--no-deps', '-d', folder, wheel], {
      stdio: 'pipe',
    });
    execFileSync(python, ['-c', UNZIP, folder, ...LIBRARIES], { stdio: 'pipe' });
  } catch (error) {
    throw new SwardError(`${wheel} could not be fetched: ${messageOf(error).trim().split('\n').at(-1)}`);
  }
}
