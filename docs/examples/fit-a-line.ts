// Fits y = w·x + b to noisy points. Run with: npx tsx docs/examples/fit-a-line.ts
import { pathToFileURL } from 'node:url';
import { randomStream } from '../../src/ground/random.ts';
import { add, input, meanSquaredError, multiply, parameter, sgd, Training } from '../../src/tensor/index.ts';

/** @returns slope and intercept, which the points were made with as 3 and −1 */
export async function fitALine(): Promise<{ readonly w: number; readonly b: number }> {
  const zero = () => ({ from: 'array', values: new Float32Array(1) }) as const;
  const w = parameter('w', { shape: [1] }, zero());
  const b = parameter('b', { shape: [1] }, zero());
  const x = input('x', [32]);
  const y = input('y', [32]);

  const training = await Training.compile({
    loss: meanSquaredError(add(multiply(w, x), b), y),
    optimizer: sgd({ momentum: 0.9 }),
    groups: [{ parameters: [w, b] }],
    random: randomStream(0),
  });

  const random = randomStream(1);
  for (let step = 0; step < 100; step++) {
    const points = Float32Array.from({ length: 32 }, () => random.normal());
    const noisy = points.map((at) => 3 * at - 1 + 0.1 * random.normal());
    await training.run({ x: points, y: noisy }, 0.05);
  }
  const result = {
    w: Number(training.variables.values(w)[0]),
    b: Number(training.variables.values(b)[0]),
  };
  await training.dispose();
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await fitALine());
