import runtime from 'virtual:onnx-runtime';
import { SwardError } from '../../../src/ground/errors.ts';
import { HEIGHT, setName } from '../../../src/pasture/covariates.ts';
import type { PortableModel } from '../../../src/portable/model.ts';
import { PortableRun } from '../../../src/portable/portable-run.ts';
import { restoredCalibration } from '../../../src/runs/calibration.ts';
import { errorRecords } from '../../../src/runs/error-records.ts';
import { decodePhoto } from './decode.ts';
import { hashesOf, type LoadProgress, loadModel, readFile, sha256Of } from './download.ts';
import type { EstimatedBy, Opened, Question, Questions, Reply } from './messages.ts';
import { openSession, startRuntime } from './onnx-session.ts';
import { modelStoreName, openPieceStore } from './piece-store.ts';

interface Ready {
  readonly run: PortableRun;
  readonly by: EstimatedBy;
}

/** The store of ONNX Runtime, which all models share. */
const RUNTIMES = 'sward runtime';

let ready: Ready | null = null;

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
  const run = new PortableRun(model, {
    read: (file) => readFile({ file, folder, store: models.store }),
    open: openSession,
  });
  if (!(await run.selfTest())) {
    throw new SwardError(
      'this browser computes otherwise than sward does, so it gives no estimates; let the server make them',
    );
  }
  const { run: about, precision, area_m2: areaSquareMetres, covariates } = model;
  ready = { run, by: { run: about, engine, precision, areaSquareMetres, covariates } };
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
  const { run, by } = opened();
  const bytes = new Uint8Array(await photo.arrayBuffer());
  const sha256 = await sha256Of(bytes);
  const pixels = await decodePhoto(name, bytes);
  const answer = await run.predict({ name, pixels, sha256, readings }, coverage);
  return { ...answer, by, sha256, width: pixels.width, height: pixels.height };
}

function opened(): Ready {
  if (ready) return ready;
  throw new SwardError('no model is open yet');
}

function answerTo(question: Question): Promise<unknown> {
  const { id } = question;
  switch (question.kind) {
    case 'open':
      return open(question.ask, (progress) => reply({ id, progress }));
    case 'estimate':
      return estimate(question.ask);
    case 'paddockMean':
      return Promise.resolve(opened().run.paddockMean(question.ask.answers, question.ask.coverage));
    case 'release':
      return opened().run.release();
  }
}

const reply = (message: Reply): void => postMessage(message);

/** One question after another: two photos in memory at once are one too many for a phone. */
let last: Promise<unknown> = Promise.resolve();

addEventListener('message', ({ data: question }: MessageEvent<Question>) => {
  const { id } = question;
  last = last
    .then(() => answerTo(question))
    .then((answer) => reply({ id, answer }))
    .catch((error: unknown) => {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      reply({ id, error: { name, message } });
    });
});
