import { createRoute, OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { Uuid } from '../../farm/index.ts';
import type { Asked } from '../access/authenticate.ts';
import { allows, type Role } from '../access/roles.ts';
import { Refusal } from '../answers/refusal.ts';

/** Routes with their description. */
export type Api = OpenAPIHono<Asked>;

/** What is answered where something cannot be done. */
export const ErrorBody = z
  .strictObject({
    error: z.strictObject({
      code: z.string().describe('a word for programs'),
      message: z.string().describe('what is wrong and what helps, for a person'),
    }),
  })
  .openapi('Error');

/** An answer of JSON. */
export const answer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A request of JSON. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

/** Parameters of an address that names one thing. */
export const ById = z.object({ id: Uuid });

/** Who may ask. */
const NEEDS: Readonly<Record<Role, string>> = {
  viewer: 'Any paired device may.',
  recorder: 'Recorders and owners may.',
  owner: 'Owners may.',
};

/** Answers that any route may give. */
const refused = (description: string) => answer(ErrorBody, description);
const REFUSALS = {
  400: refused('the request cannot be understood'),
  401: refused('no paired device asks'),
  403: refused('the device’s role does not allow it'),
  404: refused('there is no such thing'),
  409: refused('it does not fit what is there'),
  413: refused('it is too large'),
  422: refused('it can be read and not be used'),
  429: refused('too much at once; Retry-After says when to try again'),
  507: refused('the disk is full; nothing was stored'),
} as const;

/** Refuses devices whose role is not enough. */
export const needs =
  (role: Role): MiddlewareHandler<Asked> =>
  async (context, next) => {
    const device = context.get('device');
    if (context.get('isRevoked')) {
      throw new Refusal(401, 'revoked', 'an owner has ended this device’s access; ask for a new link');
    }
    if (!device)
      throw new Refusal(401, 'not-paired', 'pair this device first, with the link that an owner gives you');
    if (!allows(device.role, role)) {
      throw new Refusal(
        403,
        'not-allowed',
        `this device is paired as ${device.role}; only ${role === 'owner' ? 'an owner' : `a ${role}`} may do that`,
      );
    }
    await next();
  };

/** A route that a role is needed for. */
export function route<Path extends string, Config extends Omit<RouteConfig, 'path'> & { path: Path }>(
  role: Role,
  config: Config,
) {
  return createRoute({
    ...config,
    description: [config.description, NEEDS[role]].filter(Boolean).join(' '),
    security: [{ token: [] }, { cookie: [] }],
    middleware: needs(role),
    responses: { ...REFUSALS, ...config.responses } as typeof REFUSALS & Config['responses'],
  });
}

/** An API without routes. What does not fit a route's schema is refused in the words of its first problem. */
export function emptyApi(): Api {
  return new OpenAPIHono<Asked>({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const where = [...(result.target === 'json' ? [] : [result.target]), ...(issue?.path ?? [])].join('.');
      throw new Refusal(400, 'bad-request', [where, issue?.message].filter(Boolean).join(': '));
    },
  });
}
