import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeSafetensors } from '../../../src/tensor/index.ts';

/** Names and shapes of a model's tensors. */
export type ShapeTable = Readonly<Record<string, readonly number[]>>;

const affine = (name: string, outputs: number, ...inputs: number[]): ShapeTable => ({
  [`${name}.weight`]: [outputs, ...inputs],
  [`${name}.bias`]: [outputs],
});

const norm = (name: string, width: number): ShapeTable => affine(name, width);

/** Writes float32 tensors of these shapes, every number of a tensor another. */
export async function writeDistinct(path: string, shapes: ShapeTable, seed = 1): Promise<void> {
  let start = seed;
  const values = (shape: readonly number[]): Float32Array => {
    start += 0.37;
    const result = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
    for (let i = 0; i < result.length; i++) result[i] = start + i / 64;
    return result;
  };
  mkdirSync(dirname(path), { recursive: true });
  await writeSafetensors(
    path,
    Object.entries(shapes).map(([name, shape]) => ({
      name,
      dtype: 'F32' as const,
      shape,
      data: values(shape),
    })),
    { format: 'pt' },
  );
}

/** `transformers`' DINOv2 of one block, width 6, patch 2, a picture of 4 × 4. */
export function huggingFaceDinov2(prefix: string, registers: number, gated = false): ShapeTable {
  const dim = 6;
  const block = 'encoder.layer.0';
  const mlp = gated
    ? { ...affine(`${block}.mlp.weights_in`, 32, dim), ...affine(`${block}.mlp.weights_out`, dim, 16) }
    : { ...affine(`${block}.mlp.fc1`, 24, dim), ...affine(`${block}.mlp.fc2`, dim, 24) };
  const table: ShapeTable = {
    'embeddings.cls_token': [1, 1, dim],
    'embeddings.mask_token': [1, dim],
    'embeddings.position_embeddings': [1, 5, dim],
    ...(registers > 0 ? { 'embeddings.register_tokens': [1, registers, dim] } : {}),
    ...affine('embeddings.patch_embeddings.projection', dim, 3, 2, 2),
    ...norm(`${block}.norm1`, dim),
    ...affine(`${block}.attention.attention.query`, dim, dim),
    ...affine(`${block}.attention.attention.key`, dim, dim),
    ...affine(`${block}.attention.attention.value`, dim, dim),
    ...affine(`${block}.attention.output.dense`, dim, dim),
    [`${block}.layer_scale1.lambda1`]: [dim],
    ...norm(`${block}.norm2`, dim),
    ...mlp,
    [`${block}.layer_scale2.lambda1`]: [dim],
    ...norm('layernorm', dim),
  };
  return prefixed(prefix, table);
}

/** `transformers`' DINOv3 of two blocks, width 8. */
export function huggingFaceDinov3(gated: boolean): ShapeTable {
  const dim = 8;
  const table: Record<string, readonly number[]> = {
    'embeddings.cls_token': [1, 1, dim],
    'embeddings.mask_token': [1, 1, dim],
    'embeddings.register_tokens': [1, 4, dim],
    ...affine('embeddings.patch_embeddings', dim, 3, 16, 16),
    ...norm('norm', dim),
  };
  for (const block of ['layer.0', 'layer.1']) {
    Object.assign(table, {
      ...norm(`${block}.norm1`, dim),
      ...affine(`${block}.attention.q_proj`, dim, dim),
      [`${block}.attention.k_proj.weight`]: [dim, dim],
      ...affine(`${block}.attention.v_proj`, dim, dim),
      ...affine(`${block}.attention.o_proj`, dim, dim),
      [`${block}.layer_scale1.lambda1`]: [dim],
      [`${block}.layer_scale2.lambda1`]: [dim],
      ...norm(`${block}.norm2`, dim),
      ...(gated ? affine(`${block}.mlp.gate_proj`, 32, dim) : {}),
      ...affine(`${block}.mlp.up_proj`, 32, dim),
      ...affine(`${block}.mlp.down_proj`, dim, 32),
    });
  }
  return table;
}

/** `transformers`' SigLIP with both towers, width 6. */
export function huggingFaceSiglip(): ShapeTable {
  const dim = 6;
  const layer = 'vision_model.encoder.layers.0';
  const projections = ['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((name) =>
    affine(`${layer}.self_attn.${name}`, dim, dim),
  );
  return {
    logit_scale: [1],
    logit_bias: [1],
    'text_model.embeddings.token_embedding.weight': [10, dim],
    ...affine('text_model.head', dim, dim),
    ...affine('vision_model.embeddings.patch_embedding', dim, 3, 4, 4),
    'vision_model.embeddings.position_embedding.weight': [4, dim],
    ...norm(`${layer}.layer_norm1`, dim),
    ...Object.assign({}, ...projections),
    ...norm(`${layer}.layer_norm2`, dim),
    ...affine(`${layer}.mlp.fc1`, 24, dim),
    ...affine(`${layer}.mlp.fc2`, dim, 24),
    ...norm('vision_model.post_layernorm', dim),
    'vision_model.head.probe': [1, 1, dim],
    'vision_model.head.attention.in_proj_weight': [3 * dim, dim],
    'vision_model.head.attention.in_proj_bias': [3 * dim],
    ...affine('vision_model.head.attention.out_proj', dim, dim),
    ...norm('vision_model.head.layernorm', dim),
    ...affine('vision_model.head.mlp.fc1', 24, dim),
    ...affine('vision_model.head.mlp.fc2', dim, 24),
  };
}

/** `transformers`' ConvNeXt for classes: two stages of widths 4 and 8. */
export function huggingFaceConvnext(): ShapeTable {
  const block = (stage: number, width: number): ShapeTable => {
    const layer = `convnext.encoder.stages.${stage}.layers.0`;
    return {
      [`${layer}.layer_scale_parameter`]: [width],
      ...affine(`${layer}.dwconv`, width, 1, 7, 7),
      ...norm(`${layer}.layernorm`, width),
      ...affine(`${layer}.pwconv1`, 4 * width, width),
      ...affine(`${layer}.pwconv2`, width, 4 * width),
    };
  };
  return {
    ...affine('convnext.embeddings.patch_embeddings', 4, 3, 4, 4),
    ...norm('convnext.embeddings.layernorm', 4),
    ...block(0, 4),
    ...norm('convnext.encoder.stages.1.downsampling_layer.0', 4),
    ...affine('convnext.encoder.stages.1.downsampling_layer.1', 8, 4, 2, 2),
    ...block(1, 8),
    ...norm('convnext.layernorm', 8),
    ...affine('classifier', 2, 8),
  };
}

/** `transformers`' ConvNeXt distilled from DINOv3: two stages of widths 4 and 8. */
export function huggingFaceDinov3Convnext(): ShapeTable {
  const block = (stage: number, width: number): ShapeTable => {
    const layer = `stages.${stage}.layers.0`;
    return {
      [`${layer}.gamma`]: [width],
      ...affine(`${layer}.depthwise_conv`, width, 1, 7, 7),
      ...norm(`${layer}.layer_norm`, width),
      ...affine(`${layer}.pointwise_conv1`, 4 * width, width),
      ...affine(`${layer}.pointwise_conv2`, width, 4 * width),
    };
  };
  return {
    ...affine('stages.0.downsample_layers.0', 4, 3, 4, 4),
    ...norm('stages.0.downsample_layers.1', 4),
    ...block(0, 4),
    ...norm('stages.1.downsample_layers.0', 4),
    ...affine('stages.1.downsample_layers.1', 8, 4, 2, 2),
    ...block(1, 8),
    ...norm('layer_norm', 8),
  };
}

/** `transformers`' Swin V2 for classes: two stages of widths 8 and 16. */
export function huggingFaceSwinv2(): ShapeTable {
  const block = (stage: number, width: number): ShapeTable => {
    const layer = `swinv2.encoder.layers.${stage}.blocks.0`;
    const self = `${layer}.attention.self`;
    return {
      [`${self}.logit_scale`]: [2, 1, 1],
      ...affine(`${self}.continuous_position_bias_mlp.0`, 512, 2),
      [`${self}.continuous_position_bias_mlp.2.weight`]: [2, 512],
      ...affine(`${self}.query`, width, width),
      [`${self}.key.weight`]: [width, width],
      ...affine(`${self}.value`, width, width),
      ...affine(`${layer}.attention.output.dense`, width, width),
      ...norm(`${layer}.layernorm_before`, width),
      ...affine(`${layer}.intermediate.dense`, 4 * width, width),
      ...affine(`${layer}.output.dense`, width, 4 * width),
      ...norm(`${layer}.layernorm_after`, width),
    };
  };
  return {
    ...affine('swinv2.embeddings.patch_embeddings.projection', 8, 3, 4, 4),
    ...norm('swinv2.embeddings.norm', 8),
    ...block(0, 8),
    'swinv2.encoder.layers.0.downsample.reduction.weight': [16, 32],
    ...norm('swinv2.encoder.layers.0.downsample.norm', 16),
    ...block(1, 16),
    ...norm('swinv2.layernorm', 16),
    ...affine('classifier', 2, 16),
  };
}

function prefixed(prefix: string, table: ShapeTable): ShapeTable {
  return Object.fromEntries(Object.entries(table).map(([name, shape]) => [`${prefix}${name}`, shape]));
}
