import { graphicsRuntime, runtime } from 'virtual:onnx-runtime';
import { SwardError } from '../../../src/ground/errors.ts';
import { HEIGHT, setName } from '../../../src/pasture/covariates.ts';
import type { PortableModel } from '../../../src/portable/model.ts';
import { type PortableHost, type PortablePhoto, PortableRun } from '../../../src/portable/portable-run.ts';
import { restoredCalibration } from '../../../src/runs/calibration.ts';
import { errorRecords } from '../../../src/runs/error-records.ts';
import { answerQuestions } from './answer-questions.ts';
import { decodePhoto } from './decode.ts';
import { fetchPieces, hashesOf, type LoadProgress, loadModel, readFile, sha256Of } from './download.ts';
import { GraphicsChip, GraphicsError } from './graphics-chip.ts';
import { testGraphics } from './graphics-test.ts';
import type { EstimatedBy, GraphicsGone, Opened, Questions } from './messages.ts';
import { openSession, startRuntime } from './onnx-session.ts';
import { forgetGraphics, GRAPHICS_STORE, modelStoreName, openPieceStore } from './piece-store.ts';
import { previewOf } from './preview.ts';

interface Ready {
  readonly run: PortableRun;
  readonly by: EstimatedBy;
  readonly host: PortableHost;
}

/** The same run with its backbones on the graphics chip. */
interface ChipReady {
  readonly run: PortableRun;
  readonly chip: GraphicsChip;
}

/** The store of ONNX Runtime, which all models share. */
const RUNTIMES = 'sward runtime';

let ready: Ready | null = null;
let onChip: ChipReady | null = null;
/** Ends the chip, or the test of it. */
let leaving = new AbortController();

async function open(
  { model: address, runtime: runtimeAddress }: Questions['open']['ask'],
  onProgress: (progress: LoadProgress) => void,
): Promise<Questions['open']['answer']> {
  const [folder, runtimeFolder] = [new URL(address), new URL(runtimeAddress)];
  const [models, runtimes] = [await openPieceStore(modelStoreName(folder)), await openPieceStore(RUNTIMES)];
  const wasm = { file: runtime, folder: runtimeFolder, store: runtimes.store };
  const model = await loadModel(folder, models.store, [wasm], onProgress);
  await runtimes.store.keepOnly(hashesOf([runtime]));
  const engine = startRuntime(await readFile(wasm));
  const host: PortableHost = {
    read: (file) => readFile({ file, folder, store: models.store }),
    open: openSession,
  };
  const run = new PortableRun(model, host);
  if (!(await run.selfTest())) {
    throw new SwardError(
      'this browser computes otherwise than sward does, so it gives no estimates; let the server make them',
    );
  }
  const { run: about, precision, area_m2: areaSquareMetres, covariates } = model;
  ready = { run, host, by: { run: about, engine, precision, areaSquareMetres, covariates } };
  const lost = [models, runtimes].map(({ keeping }) => keeping()).find(({ kept }) => !kept);
  return { by: ready.by, errors: errorsOf(model.calibration), keeping: lost ?? { kept: true } };
}

/** How a run errs, by the photo alone and told the sward's height. */
function errorsOf(stored: PortableModel['calibration']): Opened['errors'] {
  const calibration = restoredCalibration(stored);
  const told = calibration.cases?.find(({ covariates }) => setName(covariates) === HEIGHT);
  return { photo: errorRecords(calibration), height: told ? errorRecords(told) : null };
}

async function estimate({
  name,
  photo,
  coverage,
  readings,
}: Questions['estimate']['ask']): Promise<Questions['estimate']['answer']> {
  opened();
  const bytes = new Uint8Array(await photo.arrayBuffer());
  const sha256 = await sha256Of(bytes);
  const pixels = await decodePhoto(name, bytes);
  const answer = await answered({ name, pixels, sha256, readings }, coverage);
  return { ...answer, sha256, width: pixels.width, height: pixels.height };
}

/** The answer of the graphics chip where it is used, else, or where it fails, that of WebAssembly. */
async function answered(photo: PortablePhoto, coverage: number) {
  const { run, by } = opened();
  let graphicsGone: GraphicsGone | null = null;
  if (onChip) {
    const { chip } = onChip;
    const atWork = !chip.isGone;
    try {
      const answer = await onChip.run.predict(photo, coverage);
      return { ...answer, by: { ...by, engine: chip.engine }, graphicsGone };
    } catch (error) {
      if (!(error instanceof GraphicsError)) throw error;
      leaveChip();
      graphicsGone = { why: error.message, atWork };
    }
  }
  return { ...(await run.predict(photo, coverage)), by, graphicsGone };
}

async function useGraphics(
  { runtime: address, patience }: Questions['useGraphics']['ask'],
  onProgress: (progress: LoadProgress) => void,
): Promise<Questions['useGraphics']['answer']> {
  const { run, host } = opened();
  const { model } = run;
  if (!model.sources.some(({ kind }) => kind === 'backbone')) {
    return { isUsed: false, why: 'this run has nothing for it to do', seconds: null };
  }
  leaving = new AbortController();
  const { signal } = leaving;
  const { store } = await openPieceStore(GRAPHICS_STORE);
  const wasm = { file: graphicsRuntime, folder: new URL(address), store };
  await fetchPieces([wasm], onProgress, signal);
  await store.keepOnly(hashesOf([graphicsRuntime]));
  const bytes = await readFile(wasm);
  signal.throwIfAborted();
  try {
    const chip = await GraphicsChip.start(bytes, patience, signal);
    const chipRun = new PortableRun(model, {
      ...host,
      // Estimators are small, and sooner done than sent there.
      open: (file, which) => (which === model.estimators.model ? host.open(file, which) : chip.open(file)),
    });
    const seconds = await testGraphics(chipRun, run, quietly);
    if (seconds.with >= seconds.without) {
      leaving.abort();
      return { isUsed: false, why: 'it is no faster', seconds };
    }
    onChip = { run: chipRun, chip };
    await run.release();
    return { isUsed: true, seconds };
  } catch (error) {
    leaving.abort();
    if (!(error instanceof GraphicsError)) throw error;
    return { isUsed: false, why: error.message, seconds: null };
  }
}

function leaveChip(): void {
  leaving.abort();
  onChip = null;
}

async function release(): Promise<null> {
  await opened().run.release();
  // A chip that is gone holds nothing; the next photo tells of it.
  await onChip?.run.release().catch(() => {});
  return null;
}

function opened(): Ready {
  if (ready) return ready;
  throw new SwardError('no model is open yet');
}

const quietly = answerQuestions<Questions>(
  {
    open,
    estimate,
    preview: async ({ name, photo }) =>
      previewOf(await decodePhoto(name, new Uint8Array(await photo.arrayBuffer()))),
    paddockMean: async ({ answers, coverage }) => opened().run.paddockMean(answers, coverage),
    useGraphics,
    async leaveGraphics() {
      leaveChip();
      await forgetGraphics();
      return null;
    },
    release,
  },
  ['useGraphics', 'leaveGraphics'],
);
