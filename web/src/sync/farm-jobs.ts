import { ask, sendJson } from './farm-server.ts';

/** Gives the server work that takes long. @param request what is to be done, as `/api/jobs` describes it */
export const requestJob = (request: object): Promise<Response> =>
  ask('/api/jobs', sendJson('POST', { id: crypto.randomUUID(), request }));
