import { z } from 'zod';
import { Boundary } from '../../../src/farm/index.ts';
import { InputError } from '../../../src/ground/errors.ts';

/** A boundary of a file, with the name that the file has for it. */
export interface NamedBoundary {
  readonly name: string;
  readonly boundary: Boundary;
}

const Feature = z.object({
  type: z.literal('Feature'),
  geometry: z.object({ type: z.string(), coordinates: z.unknown() }).nullable(),
  properties: z.record(z.string(), z.unknown()).nullable().optional(),
});
const Collection = z.object({ type: z.literal('FeatureCollection'), features: z.array(Feature) });
const AREAS = new Set(['Polygon', 'MultiPolygon']);

/**
 * Paddocks of a GeoJSON (RFC 7946) or KML (OGC 07-147r2) file. Points and lines are passed over.
 *
 * @throws InputError for what is neither, has no area, or has one that is no boundary
 */
export function readBoundaries(file: string, text: string): NamedBoundary[] {
  const shapes = text.trimStart().startsWith('<') ? kmlShapes(file, text) : geoJsonShapes(file, text);
  if (shapes.length === 0) {
    throw new InputError(file, 'has no area in it', 'export the paddocks as polygons');
  }
  return shapes.map(({ name, geometry }, index) => {
    const called = name.trim() === '' ? `Paddock ${index + 1}` : name.trim().slice(0, 200);
    const read = Boundary.safeParse(geometry);
    if (read.success) return { name: called, boundary: read.data };
    throw new InputError(file, `${called}: ${read.error.issues[0]?.message}`, 'mend it where it was drawn');
  });
}

interface Shape {
  readonly name: string;
  readonly geometry: unknown;
}

function geoJsonShapes(file: string, text: string): Shape[] {
  const read = z.union([Collection, Feature]).safeParse(jsonOf(text));
  if (!read.success)
    throw new InputError(file, 'is neither GeoJSON nor KML', 'export the paddocks as one of the two');
  const features = read.data.type === 'Feature' ? [read.data] : read.data.features;
  return features.flatMap(({ geometry, properties }) => {
    if (!geometry || !AREAS.has(geometry.type)) return [];
    const { type, coordinates } = geometry;
    const name = ['name', 'Name', 'NAME', 'paddock', 'title', 'label']
      .map((key) => properties?.[key])
      .find((value) => typeof value === 'string');
    return [{ name: String(name ?? ''), geometry: { type, coordinates } }];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function kmlShapes(file: string, text: string): Shape[] {
  const document = new DOMParser().parseFromString(text, 'text/xml');
  if (document.getElementsByTagName('parsererror').length > 0) {
    throw new InputError(
      file,
      'is no XML that can be read',
      'export it again; of a KMZ, unpack the KML in it',
    );
  }
  return [...document.getElementsByTagName('Placemark')].flatMap((placemark) => {
    const parts = [...placemark.getElementsByTagName('Polygon')].map((polygon) => [
      ...ringsIn(polygon, 'outerBoundaryIs'),
      ...ringsIn(polygon, 'innerBoundaryIs'),
    ]);
    const [only] = parts;
    if (!only) return [];
    const name = placemark.getElementsByTagName('name')[0]?.textContent ?? '';
    const geometry =
      parts.length === 1
        ? { type: 'Polygon', coordinates: only }
        : { type: 'MultiPolygon', coordinates: parts };
    return [{ name, geometry }];
  });
}

/** Longitude, latitude and perhaps altitude, with commas; positions with spaces between them. */
function ringsIn(polygon: Element, side: string): number[][][] {
  return [...polygon.getElementsByTagName(side)].flatMap((boundary) =>
    [...boundary.getElementsByTagName('coordinates')].map((element) =>
      (element.textContent ?? '')
        .trim()
        .split(/\s+/)
        .map((position) => position.split(',').slice(0, 2).map(Number)),
    ),
  );
}
