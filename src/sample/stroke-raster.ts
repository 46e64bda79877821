import { cover, type Drawing, FULL } from './canvas.ts';
import { NODE, type ScreenNodes } from './screen.ts';
import { sunlitShare } from './shadow-map.ts';

/**
 * Draws the piece of a blade between two neighbouring nodes beneath what is there. Coverage follows from the
 * distance to the edge; light, width and colour run smoothly from node to node and from wing to wing.
 *
 * @param nodeA offset of the first node's row in `nodes`; the second follows it
 * @param alongA,alongB how far along the organ the two nodes are, 0 base … 1 tip
 * @param skyShareA,skyShareB skylight that reaches the two nodes, 0–1
 */
export function drawSegment(
  drawing: Drawing,
  nodes: ScreenNodes,
  nodeA: number,
  material: number,
  alongA: number,
  alongB: number,
  skyShareA: number,
  skyShareB: number,
): void {
  const { width, height, open } = drawing.canvas;
  const nodeB = nodeA + NODE.stride;
  const ax = nodes[nodeA] as number;
  const ay = nodes[nodeA + 1] as number;
  const dx = (nodes[nodeB] as number) - ax;
  const dy = (nodes[nodeB + 1] as number) - ay;
  const length = Math.sqrt(dx * dx + dy * dy);
  const halfA = nodes[nodeA + NODE.halfWidth] as number;
  const halfB = nodes[nodeB + NODE.halfWidth] as number;
  const widest = Math.max(halfA, halfB);
  const reach = widest + 0.5;
  const ux = length > 1e-3 ? dx / length : 1;
  const uy = length > 1e-3 ? dy / length : 0;
  // Pieces overlap a little, so that bends show no gap.
  const overlap = Math.min(2, 0.3 * widest) + 0.3;

  const startOf = (column: number): number => nodes[nodeA + column] as number;
  const riseOf = (column: number): number => (nodes[nodeB + column] as number) - startOf(column);
  const [z, dz] = [startOf(NODE.z), riseOf(NODE.z)];
  const [leftA, leftD] = [startOf(NODE.lightLeft), riseOf(NODE.lightLeft)];
  const [rightA, rightD] = [startOf(NODE.lightRight), riseOf(NODE.lightRight)];
  const [glossLeftA, glossLeftD] = [startOf(NODE.glossLeft), riseOf(NODE.glossLeft)];
  const [glossRightA, glossRightD] = [startOf(NODE.glossRight), riseOf(NODE.glossRight)];
  const skyA = skyShareA * startOf(NODE.sky);
  const skyD = skyShareB * (nodes[nodeB + NODE.sky] as number) - skyA;
  const shadowX = startOf(NODE.shadowX) - ax;
  const shadowXD = (nodes[nodeB + NODE.shadowX] as number) - ax - dx - shadowX;
  const shadowY = startOf(NODE.shadowY) - ay;
  const shadowYD = (nodes[nodeB + NODE.shadowY] as number) - ay - dy - shadowY;
  const look = material * drawing.materials.stride;
  const detailed = widest > 1.6;

  const firstRow = Math.max(0, Math.ceil(Math.min(ay, ay + dy) - reach));
  const lastRow = Math.min(height - 1, Math.floor(Math.max(ay, ay + dy) + reach));
  for (let row = firstRow; row <= lastRow; row++) {
    const py = row - ay;
    let low = 0;
    let high = width - 1;
    // Columns where |distance from the axis| ≤ reach …
    if (Math.abs(uy) > 1e-4) {
      const c = py * ux;
      const first = ax + (c - reach) / uy;
      const second = ax + (c + reach) / uy;
      low = Math.max(low, Math.min(first, second));
      high = Math.min(high, Math.max(first, second));
    } else if (Math.abs(py) > reach) continue;
    // … and between the two ends.
    if (Math.abs(ux) > 1e-4) {
      const c = py * uy;
      const first = ax + (-overlap - c) / ux;
      const second = ax + (length + overlap - c) / ux;
      low = Math.max(low, Math.min(first, second));
      high = Math.min(high, Math.max(first, second));
    }
    for (let column = Math.ceil(low); column <= high; column++) {
      const pixel = row * width + column;
      if ((open[pixel] as number) < FULL) continue;
      const px = column - ax;
      const along = px * ux + py * uy;
      const distance = py * ux - px * uy;
      const t = length > 1e-3 ? Math.min(1, Math.max(0, along / length)) : 0.5;
      const half = halfA + (halfB - halfA) * t;
      const part = half + 0.5 - Math.abs(distance);
      if (part <= 0) continue;

      const across = Math.min(1, Math.max(-1, distance / (half + 0.01)));
      const wing = Math.min(1, Math.max(0, 0.5 + 1.6 * across));
      const lightLeft = leftA + leftD * t;
      const lightRight = rightA + rightD * t;
      const glossLeft = glossLeftA + glossLeftD * t;
      const glossRight = glossRightA + glossRightD * t;
      const sunlit = sunlitShare(
        drawing.shadows,
        column + shadowX + shadowXD * t,
        row + shadowY + shadowYD * t,
        z + dz * t,
      );
      // A rib down the middle, faint veins beside it and a darker rim.
      let relief = 1.04 - 0.16 * across * across;
      if (detailed) {
        const rib = Math.abs(across);
        if (rib < 0.14) relief += 0.14 * (1 - rib / 0.14);
        relief += 0.035 * Math.sin(across * 13);
      }
      const sun = sunlit * (lightLeft + (lightRight - lightLeft) * wing) * relief;
      const shine = sunlit * (glossLeft + (glossRight - glossLeft) * wing);
      const sky = (skyA + skyD * t) * relief;
      const s = alongA + (alongB - alongA) * t;
      // Blades are paler where they leave the sheath and take their tip's colour only near the end.
      const toTip = s * s * s;
      // A blade thinner than a pixel fills only part of it.
      cover(drawing, pixel, Math.min(1, part, 2 * half + 0.1), look, toTip, sun, sky, shine);
    }
  }
}
