import type { LayerGroup, Map as LeafletMap, Polygon } from 'leaflet';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Boundary, Paddock, Position } from '../../../src/farm/index.ts';

/** A place on the map with a few words. */
export interface MapPoint {
  readonly id: string;
  readonly position: Position;
  readonly words: string;
}

interface FarmMapProps {
  readonly paddocks: readonly Paddock[];
  readonly points?: readonly MapPoint[];
  readonly here?: Position | null;
  /** Address of tiles with {z}, {x} and {y}; empty: none. */
  readonly tiles: string;
  /** Corners that are being drawn. */
  readonly corners?: readonly (readonly [longitude: number, latitude: number])[];
  /** What it opens at; nothing: at all that is on it. */
  readonly near?: Boundary | Position | null;
  readonly onPlace?: (longitude: number, latitude: number) => void;
  readonly onPaddock?: (id: string) => void;
}

interface Drawn {
  readonly leaflet: typeof import('leaflet');
  readonly map: LeafletMap;
  readonly layer: LayerGroup;
}

const latLngs = (boundary: Boundary): [number, number][][][] =>
  (boundary.type === 'Polygon' ? [boundary.coordinates] : boundary.coordinates).map((rings) =>
    rings.map((ring) => ring.map(([longitude, latitude]): [number, number] => [latitude, longitude])),
  );

/** Corners of what a map opens at. */
function cornersOf({ paddocks, points = [], here = null, near = null }: FarmMapProps): [number, number][] {
  const place = ({ latitude, longitude }: Position): [number, number] => [latitude, longitude];
  if (near) return 'type' in near ? latLngs(near).flat(2) : [place(near)];
  const land = [
    ...paddocks.flatMap(({ boundary }) => (boundary ? latLngs(boundary).flat(2) : [])),
    ...points.map(({ position }) => place(position)),
  ];
  // Who is far from the farm would see it as a dot.
  return land.length > 0 || !here ? land : [place(here)];
}

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Words as they are written: Leaflet takes a string for HTML, and paddocks are called by whoever names them. */
function asText(words: string): HTMLElement {
  const element = document.createElement('span');
  element.textContent = words;
  return element;
}

function showNameIfItFits(map: LeafletMap, polygon: Polygon, isAlone: boolean): void {
  const name = polygon.getTooltip()?.getElement();
  if (!name) return;
  const bounds = polygon.getBounds();
  const width =
    map.latLngToContainerPoint(bounds.getNorthEast()).x - map.latLngToContainerPoint(bounds.getNorthWest()).x;
  name.style.visibility = isAlone || name.offsetWidth <= width ? 'visible' : 'hidden';
}

/** Paddocks and points on a map, which needs no tiles: without a network boundaries stand on plain ground. */
export function FarmMap(props: FarmMapProps) {
  const { paddocks, points = [], here = null, tiles, corners = [], near = null, onPlace } = props;
  const element = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const fitted = useRef<string | null>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    let map: LeafletMap | null = null;
    let isGone = false;
    void Promise.all([import('leaflet'), import('leaflet/dist/leaflet.css')]).then(([leaflet]) => {
      if (isGone || !element.current) return;
      map = leaflet.map(element.current, {
        center: [-33.5, 148.5],
        zoom: 5,
        attributionControl: tiles !== '',
      });
      leaflet.control.scale({ imperial: false }).addTo(map);
      if (tiles !== '') {
        leaflet
          .tileLayer(tiles, {
            maxZoom: 20,
            crossOrigin: 'anonymous',
            attribution: new URL(tiles, location.href).host,
          })
          .addTo(map);
      }
      map.on('click', ({ latlng }) => latest.current.onPlace?.(latlng.lng, latlng.lat));
      setDrawn({ leaflet, map, layer: leaflet.layerGroup().addTo(map) });
    });
    return () => {
      isGone = true;
      map?.remove();
    };
  }, [tiles]);
  useEffect(() => {
    if (!drawn) return undefined;
    const { leaflet, map, layer } = drawn;
    layer.clearLayers();
    const [leaf, warn] = [colour('--leaf'), colour('--warn')];
    const labelled: Polygon[] = [];
    for (const { id, name, boundary } of paddocks) {
      if (!boundary) continue;
      const polygon = leaflet.polygon(latLngs(boundary), { color: leaf, weight: 2, fillOpacity: 0.12 });
      polygon.bindTooltip(asText(name), { permanent: true, direction: 'center' });
      polygon.on('click', () => latest.current.onPaddock?.(id));
      polygon.addTo(layer);
      labelled.push(polygon);
    }
    for (const { position, words } of points) {
      leaflet
        .circleMarker([position.latitude, position.longitude], { radius: 6, color: leaf, fillOpacity: 0.9 })
        .bindTooltip(asText(words))
        .addTo(layer);
    }
    if (here) {
      const place: [number, number] = [here.latitude, here.longitude];
      leaflet.circle(place, { radius: here.accuracyMetres ?? 0, color: warn, weight: 1 }).addTo(layer);
      leaflet.circleMarker(place, { radius: 7, color: warn, fillOpacity: 1 }).bindTooltip('You').addTo(layer);
    }
    const line = corners.map(([longitude, latitude]): [number, number] => [latitude, longitude]);
    if (line.length > 0) {
      leaflet.polygon(line, { color: warn, weight: 3, dashArray: '6 6' }).addTo(layer);
      for (const corner of line)
        leaflet.circleMarker(corner, { radius: 6, color: warn, fillOpacity: 1 }).addTo(layer);
    }
    // Names that are wider than their paddock lie over each other: they come when it is looked at more closely.
    const fitNames = (): void => {
      for (const polygon of labelled) showNameIfItFits(map, polygon, labelled.length === 1);
    };
    map.on('zoomend', fitNames);
    const end = (): void => void map.off('zoomend', fitNames);
    fitNames();
    // What is read or found meanwhile is shown; who moves the map, or draws on it, is left where they are.
    const shown = near ? 'near' : paddocks.flatMap(({ id, boundary }) => (boundary ? id : [])).join();
    const bounds = leaflet.latLngBounds(cornersOf(latest.current));
    if (!bounds.isValid() || fitted.current === shown || corners.length > 0) return end;
    map.fitBounds(bounds, { padding: [24, 24], maxZoom: 17 });
    fitted.current = shown;
    return end;
  });
  return (
    <div
      class={onPlace ? 'map drawing' : 'map'}
      ref={element}
      role="application"
      aria-label="Map of paddocks"
    />
  );
}
