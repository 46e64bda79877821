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
  id: z.union([z.string(), z.number()]).optional(),
});
const Collection = z.object({ type: z.literal('FeatureCollection'), features: z.array(Feature) });
const AREAS = new Set(['Polygon', 'MultiPolygon']);

/**
 * Paddocks of a GeoJSON (RFC 7946) or KML (OGC 07-147r2) file. Points and lines are left out.
 *
 * @param onLeftOut told of everything that is no boundary, by its name, while others are
 * @throws InputError for what is neither, has no area, or none that is a boundary
 */
export function readBoundaries(
  file: string,
  text: string,
  onLeftOut: (why: string) => void = () => {},
): NamedBoundary[] {
  const shapes = text.trimStart().startsWith('<') ? kmlShapes(file, text) : geoJsonShapes(file, text);
  const areas = shapes.filter(({ type }) => AREAS.has(type));
  if (areas.length === 0) {
    throw new InputError(file, 'has no area in it', 'export the paddocks as polygons');
  }
  const leftOut: string[] = [];
  const boundaries = areas.flatMap(({ name, geometry }, index) => {
    const called = name.trim() === '' ? `Paddock ${index + 1}` : name.trim().slice(0, 200);
    const read = Boundary.safeParse(geometry);
    if (read.success) return [{ name: called, boundary: read.data }];
    leftOut.push(`${called}: ${problemOf(read.error)}`);
    return [];
  });
  if (boundaries.length === 0) {
    throw new InputError(file, leftOut.join('; '), 'mend it where it was drawn');
  }
  for (const why of leftOut) onLeftOut(why);
  for (const { name, type } of shapes.filter((shape) => !areas.includes(shape))) {
    onLeftOut(`${name.trim() || 'without a name'}: ${KINDS[type] ?? 'no area'}`);
  }
  return boundaries;
}

/** The same with a number behind names that stand there more than once: paddocks are told apart by their names. */
export function withOwnNames(boundaries: readonly NamedBoundary[]): NamedBoundary[] {
  const taken = new Set<string>();
  return boundaries.map(({ name, boundary }) => {
    let own = name;
    for (let number = 2; taken.has(own.toLowerCase()); number++) own = `${name} ${number}`;
    taken.add(own.toLowerCase());
    return { name: own, boundary };
  });
}

/** What is left out, in words. */
const KINDS: Readonly<Record<string, string>> = {
  Point: 'a point, not an area',
  LineString: 'a line, not an area',
};

/** What keeps a geometry from being a boundary; how the schema says that its numbers are none is nobody's affair. */
const problemOf = ({ issues: [issue] }: z.ZodError): string =>
  issue && ['custom', 'too_big', 'too_small'].includes(issue.code)
    ? issue.message
    : 'its corners are not pairs of numbers';

interface Shape {
  readonly name: string;
  /** As GeoJSON calls it; empty: nothing. */
  readonly type: string;
  readonly geometry: unknown;
}

function geoJsonShapes(file: string, text: string): Shape[] {
  const read = z.union([Collection, Feature]).safeParse(jsonOf(text));
  if (!read.success)
    throw new InputError(file, 'is neither GeoJSON nor KML', 'export the paddocks as one of the two');
  const features = read.data.type === 'Feature' ? [read.data] : read.data.features;
  return features.flatMap(({ geometry, properties, id }) => {
    if (!geometry) return [];
    const { type, coordinates } = geometry;
    const name = nameIn({ ...properties, ...(id !== undefined && { id }) });
    return [{ name, type, geometry: { type, coordinates } }];
  });
}

/** Columns that a paddock's name may stand in, however they are written; the first that is filled counts. */
const NAMES = ['name', 'paddock', 'title', 'label', 'id'];

function nameIn(properties: Readonly<Record<string, unknown>>): string {
  const columns = Object.entries(properties);
  const values = NAMES.flatMap((name) =>
    columns.filter(([column]) => column.trim().toLowerCase() === name).map(([, value]) => value),
  );
  const found = values.find(
    (value) => typeof value === 'number' || (typeof value === 'string' && value.trim() !== ''),
  );
  return found === undefined ? '' : String(found);
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
  return [...document.getElementsByTagName('Placemark')].flatMap((placemark): Shape[] => {
    const parts = [...placemark.getElementsByTagName('Polygon')].map((polygon) => [
      ...ringsIn(polygon, 'outerBoundaryIs'),
      ...ringsIn(polygon, 'innerBoundaryIs'),
    ]);
    const [only] = parts;
    const name = placemark.getElementsByTagName('name')[0]?.textContent ?? '';
    if (!only) {
      const type = ['Point', 'LineString'].find((tag) => placemark.getElementsByTagName(tag).length > 0);
      return [{ name, type: type ?? '', geometry: null }];
    }
    const geometry =
      parts.length === 1
        ? { type: 'Polygon', coordinates: only }
        : { type: 'MultiPolygon', coordinates: parts };
    return [{ name, type: geometry.type, geometry }];
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
