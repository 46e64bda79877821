import { ShapeError } from '../../ground/errors.ts';
import { placeholder } from '../graph/leaves.ts';
import { apply, applyAll, describe, float, int, type Operator, type Tensor } from '../graph/operator.ts';
import { largestDivisor, lengthAt } from '../graph/shape.ts';
import { add, multiply, subtract } from './elementwise.ts';
import { reshape, transpose } from './layout.ts';
import { matmul } from './matmul.ts';
import { softmax } from './normalisation.ts';
import { sum } from './reduction.ts';

export interface AttentionOptions {
  readonly heads: number;
  /** What scores are multiplied by; default 1/√(width of a head). */
  readonly scale?: number;
  /** Added to the scores: broadcasts to `[batch, heads, queries, keys]`. */
  readonly bias?: Tensor;
}

interface Attention {
  readonly heads: number;
  readonly scale: number;
  readonly open: ReturnType<typeof openForm>;
}

const ATTENTION: Operator<readonly Tensor[], Attention> = {
  name: 'attention',
  outputs: ([q]) => [{ dtype: (q as Tensor).dtype, shape: (q as Tensor).shape }],
  emit(emission, [x = '', y = '', z = '', added], { inputs: [q, , , bias], attributes }) {
    const { heads, scale, open } = attributes;
    // Training needs what it is made of; inference takes the fused kernel, which never stores probabilities.
    if (emission.uses(open.q) || !fusable(q as Tensor, heads, bias)) {
      return [emission.name(open.result)];
    }
    const inputs = added === undefined ? [x, y, z] : [x, y, z, '', '', added];
    const settings = { num_heads: int(heads), scale: float(scale) };
    return [emission.node('MultiHeadAttention', inputs, settings, 'com.microsoft')];
  },
  gradient({ attributes: { heads, scale, open }, inputs: [, , , bias], gradient }) {
    const { q, k, v, probabilities, mixed } = open;
    const g = splitHeads(gradient, heads);
    // Σ g·P over keys equals Σ (dO·O) over a head's width, which is far fewer numbers.
    const level = once(() => sum(multiply(g, mixed), { axes: [-1], keepAxes: true }));
    if (bias === undefined) {
      const all = once(() => backward([q, k, v, g, level()], scale, probabilities));
      return [0, 1, 2].map((index) => () => joinHeads(all()[index] as Tensor));
    }
    const scores = once(() => scoresGradient({ v, g, level: level(), probabilities }));
    return [
      () => joinHeads(matmul(scores(), k, { scale })),
      () => joinHeads(matmul(scores(), q, { transposeA: true, scale })),
      () => joinHeads(matmul(probabilities, g, { transposeA: true })),
      scores,
    ];
  },
  rebuild([q, k, v, bias], { heads, scale }) {
    return [attention(q as Tensor, k as Tensor, v as Tensor, { heads, scale, ...(bias && { bias }) })];
  },
  inCopy(inputs, { heads, scale, open }, copy) {
    const { q, k, v, probabilities, mixed, result } = open;
    const copied = {
      ...{ q: copy(q), k: copy(k), v: copy(v) },
      ...{ probabilities: copy(probabilities), mixed: copy(mixed), result: copy(result) },
    };
    return applyAll(ATTENTION, inputs, { heads, scale, open: copied });
  },
};

interface Arriving {
  readonly v: Tensor;
  /** The gradient of the mixture. */
  readonly g: Tensor;
  /** Σ g·mixture over a head's width. */
  readonly level: Tensor;
  readonly probabilities: Tensor;
}

/** The gradient of what the softmax was given. */
function scoresGradient({ v, g, level, probabilities }: Arriving): Tensor {
  return multiply(subtract(matmul(g, v, { transposeB: true }), level), probabilities);
}

/** Gradients of queries, keys and values. */
function partGradients(q: Tensor, k: Tensor, scale: number, arriving: Arriving): readonly Tensor[] {
  const scores = scoresGradient(arriving);
  return [
    matmul(scores, k, { scale }),
    matmul(scores, q, { transposeA: true, scale }),
    matmul(arriving.probabilities, arriving.g, { transposeA: true }),
  ];
}

/** Pieces of a core's own cache that the one behind it, which all share, holds from one product to the next. */
const PIECES = 16;

type Five = readonly [Tensor, Tensor, Tensor, Tensor, Tensor];

interface Backward {
  readonly scale: number;
  /** The three gradients by whole tensors, all heads at once. */
  readonly whole: () => readonly Tensor[];
}

/**
 * The backward pass of attention without a bias, by head. In a program that is cut into pieces a few heads go through
 * at once and their probabilities are computed again: five passes over queries × keys of all heads would each stream
 * through memory, and keeping the probabilities of every layer takes more of it than anything else.
 */
const BACKWARD: Operator<Five, Backward> = {
  name: 'attentionBackward',
  outputs: (inputs) => inputs.slice(0, 3).map(({ dtype, shape }) => ({ dtype, shape })),
  emit(emission, names, { inputs, attributes: { scale, whole } }) {
    const [q, k] = inputs;
    const [batch, heads, queries] = q.shape as [number, number, number];
    const count = batch * heads;
    const { piece = Number.POSITIVE_INFINITY } = emission;
    const fitting = Math.floor((PIECES * piece) / (queries * lengthAt(k.shape, 2)));
    const several = largestDivisor(count, Math.min(count, Math.max(1, fitting)));
    if (several === count) return whole().map(emission.name);
    const { node, indices } = emission;
    const cut = inputs.map(({ shape }, index) =>
      node('Reshape', [names[index] as string, indices([count / several, several, ...shape.slice(2)])]),
    );
    const placeholders = inputs.map(({ dtype, shape }) =>
      placeholder(dtype, [several, ...shape.slice(2)], 'heads'),
    );
    const [oneQ, oneK, oneV, oneG, oneLevel] = placeholders as readonly Tensor[] as Five;
    const again = attentionProbabilities(oneQ, oneK, scale);
    const results = partGradients(oneQ, oneK, scale, {
      v: oneV,
      g: oneG,
      level: oneLevel,
      probabilities: again,
    });
    return emission
      .loop(cut, { placeholders, results })
      .map((name, index) => node('Reshape', [name, indices((inputs[index] as Tensor).shape)]));
  },
  rebuild: (inputs, { scale }) =>
    backward(inputs, scale, attentionProbabilities(inputs[0], inputs[1], scale)),
  inCopy: (_, { whole }, copy) => whole().map(copy),
};

/** @param inputs queries, keys, values, the mixture's gradient and its level, all by head */
function backward(inputs: Five, scale: number, probabilities: Tensor): readonly Tensor[] {
  const [q, k, v, g, level] = inputs;
  const whole = once(() => partGradients(q, k, scale, { v, g, level, probabilities }));
  return applyAll(BACKWARD, inputs, { scale, whole });
}

/** softmax(q·kᵀ·scale) by head. */
function attentionProbabilities(q: Tensor, k: Tensor, scale: number, bias?: Tensor): Tensor {
  const scores = matmul(q, k, { transposeB: true, scale });
  return softmax(bias ? add(scores, bias) : scores);
}

/** The kernel takes a bias of [1 or batch, 1 or heads, queries, keys] only. */
function fusable(q: Tensor, heads: number, bias: Tensor | undefined): boolean {
  if (bias === undefined) return true;
  const [batch, biasHeads] = bias.shape;
  const leading = (batch === 1 || batch === q.shape[0]) && (biasHeads === 1 || biasHeads === heads);
  return bias.shape.length === 4 && leading && lengthAt(bias.shape, 2) === lengthAt(q.shape, 1);
}

/** The differentiable form: the three inputs by head, the probabilities, their mixture by head, and the result. */
function openForm(q: Tensor, k: Tensor, v: Tensor, heads: number, scale: number, bias: Tensor | undefined) {
  const parts = { q: splitHeads(q, heads), k: splitHeads(k, heads), v: splitHeads(v, heads) };
  const probabilities = attentionProbabilities(parts.q, parts.k, scale, bias);
  const mixed = matmul(probabilities, parts.v);
  return { ...parts, probabilities, mixed, result: joinHeads(mixed) };
}

function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** `[batch, tokens, heads · width]` → `[batch, heads, tokens, width]`. */
function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, dim] = x.shape as [number, number, number];
  return transpose(reshape(x, [batch, tokens, heads, dim / heads]), [0, 2, 1, 3]);
}

/** `[batch, heads, tokens, width]` → `[batch, tokens, heads · width]`. */
function joinHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017): softmax(q·kᵀ·scale + bias)·v for every head.
 * Programs that need no gradient through it run ONNX Runtime's fused kernel.
 *
 * @param q `[batch, queries, dim]`, heads one after another in the last axis
 * @param k `[batch, keys, dim]`
 * @param v `[batch, keys, dim]`
 * @returns `[batch, queries, dim]`
 * @throws ShapeError when they do not fit or dim is no multiple of the heads
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { heads, bias } = options;
  const [batch, , dim] = q.shape;
  const fits = [q, k, v].every((x) => x.shape.length === 3 && x.shape[0] === batch && x.shape[2] === dim);
  if (!fits || dim === undefined || dim % heads !== 0 || k.shape[1] !== v.shape[1]) {
    const all = [q, k, v].map(describe).join(', ');
    throw new ShapeError(`attention with ${heads} heads: ${all} do not fit`);
  }
  const scale = options.scale ?? 1 / Math.sqrt(dim / heads);
  const open = openForm(q, k, v, heads, scale, bias);
  return apply(ATTENTION, bias ? [q, k, v, bias] : [q, k, v], { heads, scale, open });
}
