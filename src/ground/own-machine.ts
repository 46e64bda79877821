/** Whether a host, as it stands in an address, is the machine that reads it: no other machine gets anywhere by it. */
export const isLoopback = (host: string): boolean => /^(127(\.\d+){3}|\[?::1\]?|localhost)$/.test(host);

/** Whether a host leads no other machine here: loopback, or all of a machine's addresses, which are listened at only. */
export const isOwnMachine = (host: string): boolean =>
  isLoopback(host) || host === '0.0.0.0' || host === '::' || host === '[::]';
