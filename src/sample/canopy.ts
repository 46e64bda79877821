import type { View } from './camera.ts';
import type { Drawing } from './canvas.ts';
import { drawLeaflet } from './leaflet-raster.ts';
import { type Light, shadowSlope } from './light.ts';
import type { Scene } from './scene.ts';
import { NODE, projectStrokes, type ScreenNodes } from './screen.ts';
import { addLeafArea, type CanopyShade, makeCanopyShade, patchAt, skyShareAt } from './shade.ts';
import { castSegment, makeShadowMap, type ShadowMap } from './shadow-map.ts';
import { drawSegment } from './stroke-raster.ts';

/** A scene made ready to draw: what lies where, in which order, and what it shades. */
export interface Canopy {
  readonly nodes: ScreenNodes;
  readonly pieces: Pieces;
  readonly shadows: ShadowMap;
  readonly shade: CanopyShade;
}

/** Drawn pieces, lowest first: blade segments and leaflets. Parallel arrays. */
interface Pieces {
  /** Number of the segment's first node, or −1 − leaflet number. */
  readonly source: Int32Array;
  readonly material: Uint16Array;
  /** Position along the organ at the segment's start and end, 0–1. */
  readonly along: Float32Array;
  readonly step: Float32Array;
  readonly area: Float32Array;
  readonly patch: Uint16Array;
  readonly order: Uint32Array;
}

/** Projects the scene, orders its pieces by height and casts their shadows. */
export function prepareCanopy(scene: Scene, view: View, light: Light): Canopy {
  const nodes = projectStrokes(scene, view, light);
  const pieces = collectPieces(scene);
  const shadows = makeShadowMap(view);
  const shade = makeCanopyShade();
  const [slopeX, slopeY] = shadowSlope(light);
  const point = new Float64Array(3);
  for (const piece of pieces.order) {
    addLeafArea(shade.total, pieces.patch[piece] as number, pieces.area[piece] as number);
    const source = pieces.source[piece] as number;
    if (source >= 0) {
      const a = source * NODE.stride;
      const b = a + NODE.stride;
      castSegment(
        shadows,
        nodes[a + NODE.shadowX] as number,
        nodes[a + NODE.shadowY] as number,
        nodes[b + NODE.shadowX] as number,
        nodes[b + NODE.shadowY] as number,
        ((nodes[a + NODE.halfWidth] as number) + (nodes[b + NODE.halfWidth] as number)) / 2,
        nodes[a + NODE.z] as number,
        nodes[b + NODE.z] as number,
      );
    } else {
      const [bx, by, bz, lx, ly, lz, wx, wy, wz] = leafletAt(scene, -1 - source);
      const tip = Math.max(0, bz + lz);
      view.project(bx + slopeX * bz, by + slopeY * bz, 0, point);
      const [ax = 0, ay = 0] = point;
      view.project(bx + lx + slopeX * tip, by + ly + slopeY * tip, 0, point);
      const [tipX = 0, tipY = 0] = point;
      const half = 0.75 * Math.hypot(wx, wy, wz) * view.pixelsPerCm;
      castSegment(shadows, ax, ay, tipX, tipY, half, bz, bz + lz);
    }
  }
  return { nodes, pieces, shadows, shade };
}

/** Draws a prepared canopy on an empty canvas, highest pieces first; the ground comes after it. */
export function drawCanopy(drawing: Drawing, view: View, scene: Scene, canopy: Canopy): void {
  const { pieces, nodes, shade } = canopy;
  const places = scene.nodes.values;
  const leaflets = scene.leaflets.values;
  for (let rank = pieces.order.length - 1; rank >= 0; rank--) {
    const piece = pieces.order[rank] as number;
    const source = pieces.source[piece] as number;
    if (source >= 0) {
      const a = source * scene.nodes.stride;
      const b = a + scene.nodes.stride;
      const skyA = skyShareAt(shade.above, places[a] as number, places[a + 1] as number);
      const skyB = skyShareAt(shade.above, places[b] as number, places[b + 1] as number);
      const along = pieces.along[piece] as number;
      const end = along + (pieces.step[piece] as number);
      const material = pieces.material[piece] as number;
      drawSegment(drawing, nodes, source * NODE.stride, material, along, end, skyA, skyB);
    } else {
      const at = (-1 - source) * scene.leaflets.stride;
      const x = (leaflets[at] as number) + 0.5 * (leaflets[at + 3] as number);
      const y = (leaflets[at + 1] as number) + 0.5 * (leaflets[at + 4] as number);
      drawLeaflet(drawing, view, leaflets, at, skyShareAt(shade.above, x, y));
    }
    addLeafArea(shade.above, pieces.patch[piece] as number, pieces.area[piece] as number);
  }
}

type LeafletRow = [number, number, number, number, number, number, number, number, number];

function leafletAt(scene: Scene, leaflet: number): LeafletRow {
  const offset = leaflet * scene.leaflets.stride;
  return Array.from(scene.leaflets.values.subarray(offset, offset + 9)) as LeafletRow;
}

function collectPieces(scene: Scene): Pieces {
  const total = scene.nodes.count - scene.strokes.count + scene.leaflets.count;
  const pieces = {
    source: new Int32Array(total),
    material: new Uint16Array(total),
    along: new Float32Array(total),
    step: new Float32Array(total),
    area: new Float32Array(total),
    patch: new Uint16Array(total),
  };
  const heights = new Float32Array(total);
  let piece = 0;
  const nodes = scene.nodes.values;
  const strokes = scene.strokes.values;
  for (let stroke = 0; stroke < scene.strokes.count; stroke++) {
    const at = stroke * scene.strokes.stride;
    const first = strokes[at] as number;
    const segments = (strokes[at + 1] as number) - 1;
    for (let segment = 0; segment < segments; segment++, piece++) {
      const a = (first + segment) * 5;
      const b = a + 5;
      const length = Math.hypot(
        (nodes[b] as number) - (nodes[a] as number),
        (nodes[b + 1] as number) - (nodes[a + 1] as number),
      );
      pieces.source[piece] = first + segment;
      pieces.material[piece] = strokes[at + 2] as number;
      pieces.along[piece] = segment / segments;
      pieces.step[piece] = 1 / segments;
      pieces.area[piece] = length * ((nodes[a + 3] as number) + (nodes[b + 3] as number));
      pieces.patch[piece] = patchAt(nodes[a] as number, nodes[a + 1] as number);
      heights[piece] = ((nodes[a + 2] as number) + (nodes[b + 2] as number)) / 2;
    }
  }
  for (let leaflet = 0; leaflet < scene.leaflets.count; leaflet++, piece++) {
    const [x, y, z, lx, ly, lz, wx, wy] = leafletAt(scene, leaflet);
    pieces.source[piece] = -1 - leaflet;
    pieces.area[piece] = 1.4 * Math.hypot(lx, ly) * Math.hypot(wx, wy);
    pieces.patch[piece] = patchAt(x + lx / 2, y + ly / 2);
    heights[piece] = z + lz / 2;
  }
  return { ...pieces, order: orderByHeight(heights) };
}

/** Order of the pieces in fine steps of height, lowest first, in their own order within a step. */
function orderByHeight(heights: Float32Array): Uint32Array {
  const steps = 4095;
  const highest = heights.reduce((most, height) => Math.max(most, height), 1e-6);
  // Short swards need finer steps near the ground than tall ones near the top.
  const keys = Float64Array.from(heights, (height, piece) => {
    const step = Math.min(steps, Math.floor(Math.sqrt(Math.max(0, height) / highest) * steps));
    return step * heights.length + piece;
  });
  return Uint32Array.from(keys.sort(), (key) => key % heights.length);
}
