/** What Leaflet puts in the place of `{s}`. */
const SUBDOMAINS = ['a', 'b', 'c'];

/**
 * Origins that map tiles are asked of.
 *
 * @param tiles their address, with {z}, {x} and {y}
 * @returns null where it is no such address
 */
export function tileOrigins(tiles: string, base: string): string[] | null {
  const isTiles =
    /^(https:\/\/|\/)/.test(tiles) && ['{z}', '{x}', '{y}'].every((part) => tiles.includes(part));
  if (!isTiles) return null;
  try {
    const addresses = SUBDOMAINS.map((name) => new URL(tiles.replaceAll('{s}', name), base));
    return [...new Set(addresses.map(({ origin }) => origin))];
  } catch {
    return null;
  }
}

/** Where pictures may come from: this app, its own memory, and the map tiles whose address is set. */
export const pictureSources = (tiles: string, base: string): string =>
  ["'self'", 'blob:', 'data:', ...(tileOrigins(tiles, base) ?? [])].join(' ');

/**
 * Lets the page ask nobody else for pictures. The server, whose policy covers every device, cannot know which tiles a
 * device has set, so that it allows https; a policy of the page can only narrow that, and stays until it is loaded again.
 */
export function narrowPictures(tiles: string): void {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = `img-src ${pictureSources(tiles, location.href)}`;
  document.head.append(policy);
}
