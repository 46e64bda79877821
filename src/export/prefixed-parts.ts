import type { ModelParts } from '../tensor/onnx/model.ts';

/** The same parts with all names but `kept` prefixed, so that several can stand in one graph. Changes them. */
export function prefixed(parts: ModelParts, prefix: string, kept: readonly string[]): ModelParts {
  const renamed = (name: string): string => (name === '' || kept.includes(name) ? name : prefix + name);
  for (const node of parts.nodes) {
    node.name = prefix + node.name;
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  for (const list of [parts.initializers, parts.inputs, parts.outputs, parts.declared]) {
    for (const item of list) item.name = renamed(item.name);
  }
  return parts;
}
