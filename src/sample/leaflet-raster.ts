import type { View } from './camera.ts';
import { cover, type Drawing, FULL } from './canvas.ts';
import { leafHighlight, leafIrradiance, shadowSlope } from './light.ts';
import { OUTLINE } from './scene.ts';
import { sunlitShare } from './shadow-map.ts';

const STEPS = 64;

/** Half width of an outline at each step from base to tip, as a share of the leaflet's own half width. */
function outlineTable(halfWidthAt: (along: number) => number): Float32Array {
  return Float32Array.from({ length: STEPS + 1 }, (_, step) => halfWidthAt(step / STEPS));
}

const HALF_WIDTHS: readonly Float32Array[] = [
  // Egg-shaped, broadest beyond the middle.
  outlineTable((along) => 1.28 * along ** 0.72 * Math.sqrt(Math.max(0, 1 - along ** 3.2))),
  outlineTable((along) => (4 * along * (1 - along)) ** 0.8),
];

/**
 * Draws one leaflet: an outline about a keel, with the clover's pale V and faint side veins.
 *
 * @param leaflets leaflet rows, see `Scene`
 * @param offset of this leaflet's row
 * @param skyShare skylight that reaches this height, 0–1
 */
export function drawLeaflet(
  drawing: Drawing,
  view: View,
  leaflets: Float32Array,
  offset: number,
  skyShare: number,
): void {
  const { canvas, light } = drawing;
  const value = (index: number): number => leaflets[offset + index] as number;
  const point = new Float64Array(3);
  const at = (x: number, y: number, z: number): [number, number] => {
    view.project(x, y, z, point);
    return [point[0] as number, point[1] as number];
  };
  const [bx, by, bz] = [value(0), value(1), value(2)];
  const [lx, ly, lz] = [value(3), value(4), value(5)];
  const [wx, wy, wz] = [value(6), value(7), value(8)];
  const [originX, originY] = at(bx, by, bz);
  const [tipX, tipY] = at(bx + lx, by + ly, bz + lz);
  const [sideX, sideY] = at(bx + wx, by + wy, bz + wz);
  const ux = tipX - originX;
  const uy = tipY - originY;
  const vx = sideX - originX;
  const vy = sideY - originY;
  const determinant = ux * vy - uy * vx;
  if (Math.abs(determinant) < 0.3) return;
  const halfPixels = Math.hypot(vx, vy);
  const lengthPixels = Math.hypot(ux, uy);

  const look = value(9) * drawing.materials.stride;
  const [gloss = 0, translucency = 0, mark = 0] = drawing.materials.values.subarray(look + 6, look + 9);
  const outline = value(10);
  const halfWidths = HALF_WIDTHS[outline] ?? HALF_WIDTHS[OUTLINE.ellipse];
  if (halfWidths === undefined) return;
  const notched = outline === OUTLINE.heart;

  // Face = length × half width, turned upwards; the two halves hang a little to either side of the keel.
  let nx = ly * wz - lz * wy;
  let ny = lz * wx - lx * wz;
  let nz = lx * wy - ly * wx;
  const sign = nz < 0 ? -1 : 1;
  const norm = sign / (Math.hypot(nx, ny, nz) || 1);
  nx *= norm;
  ny *= norm;
  nz *= norm;
  const sideLength = Math.hypot(wx, wy, wz) || 1;
  const lightOf = (fold: number): readonly [number, number] => {
    const k = 1 / Math.sqrt(1 + fold * fold);
    const fx = (nx + (fold * wx) / sideLength) * k;
    const fy = (ny + (fold * wy) / sideLength) * k;
    const fz = (nz + (fold * wz) / sideLength) * k;
    return [leafIrradiance(light, fx, fy, fz, translucency), gloss * leafHighlight(light, fx, fy, fz)];
  };
  const [sunLeft, shineLeft] = lightOf(0.28);
  const [sunRight, shineRight] = lightOf(-0.28);
  const sky = skyShare * (0.5 + 0.5 * nz);
  const z = bz + 0.5 * lz;
  const [slopeX, slopeY] = shadowSlope(light);
  const [groundX, groundY] = at(bx + 0.5 * lx + slopeX * z, by + 0.5 * ly + slopeY * z, 0);
  const shadowX = groundX - originX - 0.5 * ux;
  const shadowY = groundY - originY - 0.5 * uy;

  const spanX = Math.abs(vx) * 1.05;
  const spanY = Math.abs(vy) * 1.05;
  const firstColumn = Math.max(0, Math.floor(Math.min(originX, tipX) - spanX - 1));
  const lastColumn = Math.min(canvas.width - 1, Math.ceil(Math.max(originX, tipX) + spanX + 1));
  const firstRow = Math.max(0, Math.floor(Math.min(originY, tipY) - spanY - 1));
  const lastRow = Math.min(canvas.height - 1, Math.ceil(Math.max(originY, tipY) + spanY + 1));
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const pixel = row * canvas.width + column;
      if ((canvas.open[pixel] as number) < FULL) continue;
      const px = column - originX;
      const py = row - originY;
      const along = (px * vy - py * vx) / determinant;
      if (along < 0 || along > 1) continue;
      const across = (ux * py - uy * px) / determinant;
      const side = Math.abs(across);
      const edge = halfWidths[Math.round(along * STEPS)] as number;
      let part = (edge - side) * halfPixels + 0.5;
      if (notched) {
        const notch = 1 - 0.13 * Math.max(0, 1 - side / 0.28);
        part = Math.min(part, (notch - along) * lengthPixels + 0.5);
      }
      if (part <= 0) continue;
      const sunlit = sunlitShare(drawing.shadows, column + shadowX, row + shadowY, z);
      const wing = Math.min(1, Math.max(0, 0.5 - 2.5 * across));
      let relief = 1.03 - 0.14 * Math.min(1, side / (edge + 0.01)) ** 4;
      if (side < 0.07) relief += 0.1 * (1 - side / 0.07);
      if (lengthPixels > 9) relief += 0.035 * Math.sin((along * 9 - side * 5) * Math.PI);
      const sun = sunlit * (sunRight + (sunLeft - sunRight) * wing) * relief;
      const shine = sunlit * (shineRight + (shineLeft - shineRight) * wing);
      const band = 1 - Math.abs(along - 0.62 + 0.3 * side) / 0.1;
      const pale = band > 0 ? mark * band * (side < 0.75 ? 1 : 0) : 0;
      cover(drawing, pixel, Math.min(1, part), look, along, sun, sky * relief, shine, pale);
    }
  }
}
