import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { Refusal } from '../answers/refusal.ts';
import type { Device, Devices } from './devices.ts';
import { type Rate, RateLimit } from './rate-limit.ts';
import { TOKEN_COOKIE } from './token-cookie.ts';

/** What a known device may ask. */
const DEVICE_RATE: Rate = { burst: 600, perSecond: 60 };
/** What an address may ask that shows no token which works: enough to pair, not to try codes. */
const STRANGER_RATE: Rate = { burst: 20, perSecond: 0.2 };

/** What later handlers are told of who asks: null is nobody that is known, or whose access was ended. */
export interface Asked {
  Variables: { device: Device | null; isRevoked: boolean };
}

/** How callers are known. */
interface AuthenticationSettings {
  readonly devices: Devices;
  readonly behindProxy: boolean;
}

/**
 * Finds which device asks, by `Authorization: Bearer` or the cookie that pairing set, and counts what it asks; callers
 * who show nothing that works are counted by their address. What a page of another site has a browser send is refused.
 *
 * @throws Refusal 429, 403
 */
export function authenticate({ devices, behindProxy }: AuthenticationSettings): MiddlewareHandler<Asked> {
  const known = new RateLimit(DEVICE_RATE);
  const strangers = new RateLimit(STRANGER_RATE);
  return async (context, next) => {
    const bearer = /^Bearer\s+(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    const cookie = bearer === undefined ? getCookie(context, TOKEN_COOKIE) : undefined;
    const token = bearer ?? cookie;
    if (cookie !== undefined && !isSafe(context.req.method)) {
      const origin = context.req.header('origin');
      const forwarded = behindProxy ? context.req.header('x-forwarded-host') : undefined;
      // Several proxies each add theirs; names of hosts are the same in capitals.
      const hosts = (forwarded ?? context.req.header('host') ?? '').toLowerCase().split(',');
      if (origin !== undefined && !hosts.some((host) => host.trim() === hostOf(origin))) {
        throw new Refusal(403, 'other-site', 'a page of another site may not change anything here');
      }
    }
    const address =
      addressOf(context.req.header('x-forwarded-for'), behindProxy) ??
      getConnInfo(context).remote.address ??
      '';
    const bearing = token === undefined ? null : await devices.bearerOf(token);
    const isRevoked = bearing !== null && bearing.revokedAt !== null;
    const device = isRevoked ? null : bearing;
    const wait = device
      ? known.wait(device.id)
      : strangers.wait(address, isPublic(context.req.method, context.req.path) ? 0 : 1);
    if (wait > 0) throw new Refusal(429, 'too-many', `too many requests; try again in ${wait} s`, wait);
    context.set('device', device);
    context.set('isRevoked', isRevoked);
    await next();
  };
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** What anybody may read as often as they like. */
const isPublic = (method: string, path: string): boolean =>
  isSafe(method) && (path === '/api/openapi.json' || path === '/api/docs');

function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}

/** The last address that a proxy has added is that of who asked it; those before it anybody can write. */
function addressOf(forwarded: string | undefined, behindProxy: boolean): string | undefined {
  return behindProxy ? forwarded?.split(',').at(-1)?.trim() : undefined;
}
