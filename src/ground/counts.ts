/** What is said of one, or of several: `is` or `are`. */
export const forCount = (count: number, one: string, several: string): string =>
  count === 1 ? one : several;

/** How many of something: `1 photo`, `2 photos`. */
export const countOf = (count: number, what: string): string => `${count} ${what}${forCount(count, '', 's')}`;
