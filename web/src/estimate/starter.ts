/// <reference path="./starter-hash.d.ts" />
/** The run that is bundled with sward, by the name and hash that the server has for it. */
export const STARTER = { id: 'starter', name: 'starter', hash: __STARTER_HASH__ } as const;
