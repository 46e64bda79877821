import type { View } from './camera.ts';
import { type Light, leafHighlight, leafIrradiance, shadowSlope } from './light.ts';
import type { Scene } from './scene.ts';

/** Numbers a node has on the screen; offsets into a row of {@link ScreenNodes}. */
export const NODE = {
  x: 0,
  y: 1,
  z: 2,
  halfWidth: 3,
  /** Sunlight on the left and right wing of the leaf. */
  lightLeft: 4,
  lightRight: 5,
  glossLeft: 6,
  glossRight: 7,
  /** How much the surface faces the sky. */
  sky: 8,
  /** Where its shadow falls, in photo pixels at ground level. */
  shadowX: 9,
  shadowY: 10,
  stride: 11,
} as const;

/** All nodes of a scene in pixels, with the light on them: [node count, {@link NODE}.stride]. */
export type ScreenNodes = Float32Array;

/** Projects and lights the nodes of every stroke. */
export function projectStrokes(scene: Scene, view: View, light: Light): ScreenNodes {
  const nodes = scene.nodes.values;
  const strokes = scene.strokes.values;
  const materials = scene.materials.values;
  const screen = new Float32Array(scene.nodes.count * NODE.stride);
  const [slopeX, slopeY] = shadowSlope(light);
  const point = new Float64Array(3);
  for (let stroke = 0; stroke < scene.strokes.count; stroke++) {
    const at = stroke * scene.strokes.stride;
    const first = strokes[at] as number;
    const count = strokes[at + 1] as number;
    const material = (strokes[at + 2] as number) * scene.materials.stride;
    const gloss = materials[material + 6] as number;
    const translucency = materials[material + 7] as number;
    const fold = strokes[at + 3] as number;
    for (let index = 0; index < count; index++) {
      const here = (first + index) * 5;
      const from = (first + Math.max(0, index - 1)) * 5;
      const to = (first + Math.min(count - 1, index + 1)) * 5;
      const x = nodes[here] as number;
      const y = nodes[here + 1] as number;
      const z = nodes[here + 2] as number;
      const twist = nodes[here + 4] as number;

      let tx = (nodes[to] as number) - (nodes[from] as number);
      let ty = (nodes[to + 1] as number) - (nodes[from + 1] as number);
      let tz = (nodes[to + 2] as number) - (nodes[from + 2] as number);
      const length = Math.sqrt(tx * tx + ty * ty + tz * tz) || 1;
      tx /= length;
      ty /= length;
      tz /= length;
      const flat = Math.sqrt(tx * tx + ty * ty) || 1e-6;
      // Side of an untwisted leaf lies level; its face looks up. Twist turns both about the leaf's own axis.
      const sideX = -ty / flat;
      const sideY = tx / flat;
      const faceX = -tz * sideY;
      const faceY = tz * sideX;
      const faceZ = flat;
      const turn = Math.cos(twist);
      const roll = Math.sin(twist);
      const sx = sideX * turn + faceX * roll;
      const sy = sideY * turn + faceY * roll;
      const sz = faceZ * roll;
      let nx = faceX * turn - sideX * roll;
      let ny = faceY * turn - sideY * roll;
      let nz = faceZ * turn;
      if (nz < 0) {
        nx = -nx;
        ny = -ny;
        nz = -nz;
      }
      const wing = 1 / Math.sqrt(1 + fold * fold);

      view.project(x, y, z, point);
      const out = (first + index) * NODE.stride;
      screen[out + NODE.x] = point[0] as number;
      screen[out + NODE.y] = point[1] as number;
      screen[out + NODE.z] = z;
      const seen = 0.3 + 0.7 * Math.sqrt(sx * sx + sy * sy);
      screen[out + NODE.halfWidth] =
        (nodes[here + 3] as number) * view.pixelsPerCm * (point[2] as number) * seen;
      for (let side = 0; side < 2; side++) {
        const lean = (side === 0 ? -fold : fold) * wing;
        const wx = nx * wing + sx * lean;
        const wy = ny * wing + sy * lean;
        const wz = nz * wing + sz * lean;
        screen[out + NODE.lightLeft + side] = leafIrradiance(light, wx, wy, wz, translucency);
        screen[out + NODE.glossLeft + side] = gloss * leafHighlight(light, wx, wy, wz);
      }
      screen[out + NODE.sky] = 0.5 + 0.5 * nz;
      view.project(x + slopeX * z, y + slopeY * z, 0, point);
      screen[out + NODE.shadowX] = point[0] as number;
      screen[out + NODE.shadowY] = point[1] as number;
    }
  }
  return screen;
}
