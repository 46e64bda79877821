import { basename, extname } from 'node:path';
import sharp from 'sharp';
import { UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { decodePhoto, type Photo, type Pixels } from '../photos/index.ts';
import { resample } from '../preprocess/resample.ts';
import { grouped, heatPanel, INK, legend, QUIET_INK, textPath } from './drawing.ts';
import { type MappedMass, type MassMap, patchMasses, patchTable, requireMap, scaleTop } from './mass-map.ts';

/** Whose map is drawn, and how. */
export interface BiomassMapRequest {
  readonly photo: Photo;
  readonly map: MassMap;
  /** Area of the frame; default 70 × 30 cm. */
  readonly areaSquareMetres?: number;
  /** The picture to write, `DIR/<image id>.png`; the table goes beside it as `.csv`. */
  readonly out: string;
  /** One panel each; default total, green, dead and clover. */
  readonly masses?: readonly MappedMass[];
  /** Top of every panel's scale in kg DM/ha, for maps to be compared; by default each panel has its own. */
  readonly scaleTop?: number;
}

const DEFAULT_MASSES: readonly MappedMass[] = ['total', 'green', 'dead', 'clover'];
const NAMES: Readonly<Record<MappedMass, string>> = {
  total: 'Total',
  gdm: 'GDM',
  green: 'Green',
  dead: 'Dead',
  clover: 'Clover',
};

/** Lengths of the sheet, pixels. */
const PANEL_WIDTH = 700;
const MARGIN = 28;
const HEADER = 64;
const CAPTION = 44;
const FOOTER = 58;
const LEGEND_HEIGHT = 18;

/**
 * Draws where the biomass of a photo is: a PNG with a panel for each mass, a heat map (viridis) over the photo in
 * grey, with its sum and a scale in kg DM/ha, and beside it a CSV with the masses of every patch in grams.
 * Both are written whole or not at all. Lettering is drawn, so it is there on machines without fonts.
 *
 * @throws InputError when the photo cannot be used, ShapeError when the map is not of its size, UsageError
 *   when `out` is no PNG, RangeError when the area or the scale is not positive
 */
export async function writeBiomassMap(request: BiomassMapRequest): Promise<void> {
  const { photo: source, out } = request;
  if (extname(out).toLowerCase() !== '.png') throw new UsageError(`${out}: a biomass map is a .png file`);
  const photo = panelSized(await decodePhoto(source));
  const png = await renderBiomassMap(photo, basename(out, extname(out)), request);
  await writeFileAtomically(out, png);
  await writeFileAtomically(out.replace(/\.png$/i, '.csv'), patchTable(request.map));
}

function panelSized(photo: Pixels): Pixels {
  const { width, height } = photo;
  const size = { width: PANEL_WIDTH, height: Math.max(1, Math.round((height * PANEL_WIDTH) / width)) };
  return resample(photo, { left: 0, top: 0, right: width, bottom: height }, size, 'bilinear');
}

/**
 * The picture of {@link writeBiomassMap} for a photo at hand.
 *
 * @param photo at the size its panels shall have
 * @param title heads the sheet
 * @returns PNG
 */
export async function renderBiomassMap(
  photo: Pixels,
  title: string,
  request: Omit<BiomassMapRequest, 'photo' | 'out'>,
): Promise<Buffer> {
  const { map, areaSquareMetres = QUADRAT_AREA_SQUARE_METRES, masses = DEFAULT_MASSES } = request;
  requireMap(map);
  if (request.scaleTop !== undefined && !(request.scaleTop > 0)) {
    throw new RangeError(`the top of a scale must be positive, not ${request.scaleTop}`);
  }
  const columns = Math.min(2, masses.length);
  const rowHeight = CAPTION + photo.height + FOOTER;
  const width = MARGIN + columns * (photo.width + MARGIN);
  const height = HEADER + Math.ceil(masses.length / columns) * rowHeight;
  const drawings = [header(title, sum(patchMasses(map, 'total')), areaSquareMetres)];
  const panels = masses.map((mass, index) => {
    const left = MARGIN + (index % columns) * (photo.width + MARGIN);
    const top = HEADER + Math.floor(index / columns) * rowHeight;
    const { panel, grams, scale, isCut } = panelOf(photo, map, mass, areaSquareMetres, request.scaleTop);
    drawings.push(caption(mass, sum(grams), areaSquareMetres, left, top, photo.width));
    const legendTop = top + CAPTION + photo.height + 8;
    drawings.push(legend(left, legendTop, photo.width, LEGEND_HEIGHT, scale, isCut));
    return {
      input: Buffer.from(panel.data.buffer),
      raw: { width: photo.width, height: photo.height, channels: 3 as const },
      left,
      top: top + CAPTION,
    };
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawings.join('')}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([...panels, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ palette: true, effort: 5 })
    .toBuffer();
}

/** A photo under the heat map of one mass, without lettering. */
export interface HeatMap {
  readonly png: Buffer;
  /** Value at the top of the colours, kg DM/ha. */
  readonly scaleTop: number;
}

/**
 * Draws where the mass of a photo is, as wide as a panel of {@link writeBiomassMap}, for programs that write beside it.
 *
 * @param areaSquareMetres of the frame
 * @throws as {@link writeBiomassMap}
 */
export async function heatMap(
  source: Photo,
  map: MassMap,
  areaSquareMetres: number,
  mass: MappedMass = 'total',
): Promise<HeatMap> {
  requireMap(map);
  const photo = panelSized(await decodePhoto(source));
  const { panel, scale } = panelOf(photo, map, mass, areaSquareMetres);
  const { width, height, data } = panel;
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ palette: true, effort: 5 })
    .toBuffer();
  return { png, scaleTop: scale };
}

/** @param top of the scale, kg DM/ha; by default a round one that suits */
function panelOf(
  photo: Pixels,
  map: MassMap,
  mass: MappedMass,
  areaSquareMetres: number,
  top?: number,
): {
  readonly panel: Pixels;
  /** Of every patch. */
  readonly grams: readonly number[];
  readonly scale: number;
  /** Whether some values are above the scale. */
  readonly isCut: boolean;
} {
  const patchArea = areaSquareMetres / (map.halves * map.rows * map.columns);
  const grams = patchMasses(map, mass);
  const densities = grams.map((mass) => gramsToKilogramsPerHectare(mass, patchArea));
  const scale = top ?? scaleTop(densities);
  const shares = densities.map((density) => density / scale);
  return {
    panel: heatPanel(photo, map, shares),
    grams,
    scale,
    isCut: densities.some((density) => density > scale),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((running, value) => running + value, 0);
}

function header(title: string, grams: number, area: number): string {
  const frame = `${grouped(grams.toFixed(1))} g dry matter in ${Number(area.toFixed(4))} m²; scales in kg DM/ha`;
  return [
    textPath(title, { x: MARGIN, y: 32, size: 15, weight: 0.17 }),
    textPath(frame, { x: MARGIN, y: 58, size: 11, colour: QUIET_INK }),
  ].join('');
}

function caption(
  mass: MappedMass,
  grams: number,
  area: number,
  left: number,
  top: number,
  width: number,
): string {
  const y = top + CAPTION - 12;
  const perHectare = grouped(gramsToKilogramsPerHectare(grams, area).toFixed(0));
  return [
    textPath(NAMES[mass], { x: left, y, size: 14, weight: 0.18 }),
    textPath(`${perHectare} kg DM/ha  (${grams.toFixed(1)} g)`, {
      x: left + width,
      y,
      size: 12,
      align: 'right',
      colour: INK,
    }),
  ].join('');
}
