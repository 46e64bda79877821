import { compile, input, multiply } from '../../src/tensor/index.ts';

/** Ends well where the provider that it is told computes something. */
const [provider] = process.argv.slice(2) as [string];
const program = await compile({ outputs: { y: multiply(input('x', [1]), 2) } }, { provider });
const { y } = await program.run({ x: Float32Array.of(3) });
await program.dispose();
if (y?.values[0] !== 6) throw new Error(`3 · 2 became ${y?.values[0]}`);
