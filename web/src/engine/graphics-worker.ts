import loader from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/webgpu';
import { SwardError } from '../../../src/ground/errors.ts';
import { portableSession } from '../../../src/portable/onnx-session.ts';
import type { PortableSession } from '../../../src/portable/portable-run.ts';
import { answerQuestions, tellEnd } from './answer-questions.ts';
import type { GraphicsQuestions } from './graphics-chip.ts';

/** What ONNX Runtime makes use of where a chip has it. */
const FEATURES = ['shader-f16', 'subgroups'] as const satisfies GPUFeatureName[];

/** What a device must be asked for, or it has the least that any has. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies (keyof GPUSupportedLimits)[];

let device: GPUDevice | null = null;
const sessions = new Map<number, PortableSession>();
let opened = 0;

/** Takes the graphics chip. @returns what computes, for the record of an estimate */
async function start(wasm: Uint8Array): Promise<string> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new SwardError('the browser gives no access to it');
  device = await adapter.requestDevice({
    requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  // What runs on a device that is gone never ends.
  void device.lost.then(({ message }) =>
    tellEnd(`the device took it away (${message || 'no reason given'})`),
  );
  env.wasm.wasmBinary = wasm;
  env.wasm.wasmPaths = { mjs: new URL(loader, location.href).href };
  // Little is left to the processor.
  env.wasm.numThreads = 1;
  const { vendor, architecture } = adapter.info;
  const chip = [vendor, architecture].filter(Boolean).join(' ');
  return `onnxruntime-web ${env.versions.web} webgpu, ${chip || 'unnamed chip'}`;
}

async function open(model: Uint8Array): Promise<number> {
  if (!device) throw new SwardError('the graphics chip was not started');
  const session = await InferenceSession.create(model, {
    executionProviders: [{ name: 'webgpu', device }],
    logSeverityLevel: 3,
  });
  sessions.set(
    ++opened,
    portableSession(session, ({ data, dims }) => new Tensor('float32', data, dims)),
  );
  return opened;
}

function sessionOf(id: number): PortableSession {
  const session = sessions.get(id);
  if (!session) throw new SwardError('the model is not open');
  return session;
}

answerQuestions<GraphicsQuestions>({
  start,
  open,
  run: ({ session, inputs }) => sessionOf(session).run(inputs),
  async release(id) {
    await sessionOf(id).release();
    sessions.delete(id);
    return null;
  },
});
