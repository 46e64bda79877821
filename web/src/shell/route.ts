import { type Signal, signal } from '@preact/signals';

/** Where the app is: the parts of the address behind `#/`. */
export type Route = readonly string[];

const parse = (hash: string): Route =>
  hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);

/** Follows the address. */
export function followRoute(): Signal<Route> {
  const route = signal(parse(location.hash));
  addEventListener('hashchange', () => {
    route.value = parse(location.hash);
  });
  return route;
}

export const addressOf = (...parts: readonly string[]): string =>
  `#/${parts.map(encodeURIComponent).join('/')}`;

/** Goes on without a way back to where this was: a form that is done is not met again. */
export const goInstead = (...parts: readonly string[]): void => location.replace(addressOf(...parts));

export const goTo = (...parts: readonly string[]): void => {
  location.hash = addressOf(...parts);
};
