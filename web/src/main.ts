import { Engine } from './engine/engine.ts';
import type { Estimate } from './engine/messages.ts';

const input = document.querySelector('input') as HTMLInputElement;
const status = document.querySelector('[role=status]') as HTMLElement;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function sentence({ kilogramsPerHectare: { total }, prediction, doubts, by }: Estimate): string {
  const [mass, low, high] = [total.mass, total.low, total.high].map(Math.round);
  const grams = prediction.targets.total.toFixed(1);
  const notes = doubts.map(({ message }) => ` ${message}.`).join('');
  return `${mass} kg DM/ha (90 % between ${low} and ${high}), ${grams} g; ${by.run.name}, ${by.precision}, ${by.engine}.${notes}`;
}

const said = (work: () => Promise<string>): Promise<void> =>
  work().then(
    (text) => {
      status.textContent = text;
    },
    (error: unknown) => {
      status.textContent = error instanceof Error ? error.message : String(error);
    },
  );

const engine = new Engine();
const here = new URL('.', document.baseURI);
await said(async () => {
  const { keeping } = await engine.open(
    { model: new URL('models/starter/', here), runtime: new URL('runtime/', here) },
    ({ loaded, total }) => {
      status.textContent = `Fetching the model: ${megabytes(loaded)} of ${megabytes(total)} MB`;
    },
  );
  input.disabled = false;
  return keeping.kept
    ? 'Ready, with or without a network'
    : `Ready until this page is closed: ${keeping.why}`;
});
input.addEventListener('change', () => {
  const [photo] = input.files ?? [];
  if (!photo) return;
  status.textContent = 'Estimating';
  void said(async () => sentence(await engine.estimate(photo.name, photo)));
});
