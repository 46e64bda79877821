import { int } from '../graph/operator.ts';
import { modelBytes, nodeProto, valueInfo } from '../onnx/model.ts';
import { BLOCKED_DOMAIN } from '../operators/channel-blocks.ts';
import { InferenceSession, Tensor } from './runtime.ts';

/** Channels of the probe: a multiple of every block there is. */
const CHANNELS = 64;

let known: Promise<number | undefined> | undefined;

/**
 * How many channels ONNX Runtime's own convolutions keep together on this processor (16 with AVX-512, else 8), found
 * once by putting a small map into such blocks; undefined where it has none.
 */
export function channelBlockHere(): Promise<number | undefined> {
  known ??= probed().catch(() => undefined);
  return known;
}

async function probed(): Promise<number | undefined> {
  const x = { dtype: 'float32', shape: [1, CHANNELS, 1, 2] } as const;
  const session = await InferenceSession.create(
    modelBytes({
      nodes: [
        nodeProto('ReorderInput', ['x'], ['blocks'], {}, BLOCKED_DOMAIN),
        nodeProto('Conv', ['blocks', 'ones'], ['conv'], { group: int(CHANNELS) }, BLOCKED_DOMAIN),
        nodeProto('ReorderOutput', ['conv'], ['y'], { channels: int(CHANNELS) }, BLOCKED_DOMAIN),
      ],
      initializers: [],
      inputs: [valueInfo('x', x), valueInfo('ones', { dtype: 'float32', shape: [CHANNELS, 1, 1, 1] })],
      outputs: [valueInfo('blocks', x), valueInfo('y', x)],
      declared: [],
    }),
    { executionProviders: ['cpu'], logSeverityLevel: 4 },
  );
  try {
    const values = Float32Array.from({ length: CHANNELS * 2 }, (_, index) => index);
    const { blocks, y } = await session.run({
      x: new Tensor('float32', values, [...x.shape]),
      ones: new Tensor('float32', new Float32Array(CHANNELS).fill(1), [CHANNELS, 1, 1, 1]),
    });
    const order = blocks?.data as Float32Array;
    const again = y?.data as Float32Array;
    const block = order.indexOf(1);
    // The second pixel of the first channel comes behind the first pixel of a block's channels.
    const isAsExpected = values.every((_, channel) => channel >= block || order[channel] === 2 * channel);
    const isUndone = values.every((value, index) => again[index] === value);
    return block > 1 && CHANNELS % block === 0 && isAsExpected && isUndone ? block : undefined;
  } finally {
    await session.release();
  }
}
