/** What a device may do; each role may what those before it may. */
export const ROLES = ['viewer', 'recorder', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** Whether a role is enough. */
export const allows = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);
