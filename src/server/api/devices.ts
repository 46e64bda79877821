import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import { toString as qrCode } from 'qrcode';
import { Uuid } from '../../farm/index.ts';
import { ROLES } from '../access/roles.ts';
import { TOKEN_COOKIE } from '../access/token-cookie.ts';
import { found, Refusal } from '../answers/refusal.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, answer, ById, body, ErrorBody, route } from './route.ts';

const DeviceBody = z.strictObject({
  id: Uuid,
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: z.string(),
  seenAt: z.string().nullable().describe('when it last asked, to five minutes; null: never yet'),
  revokedAt: z.string().nullable(),
});

const Name = z.string().trim().min(1).max(100);

/** A browser keeps a cookie no longer than this, which a device that is used renews by no effort of its own. */
const COOKIE_SECONDS = 400 * 24 * 60 * 60;

/** Where a pairing link leads; its code stands behind `#`, which no server and no log ever sees. */
export const pairingLink = (origin: string, code: string): string => `${origin}/#pair=${code}`;

/** `/api/devices`. */
export function addDevices(api: Api, { devices, settings }: Farm): void {
  const isSecure = settings.tls !== undefined || settings.behindProxy;
  api.openapi(
    createRoute({
      method: 'post',
      path: '/api/devices/pair',
      summary: 'Pairs the device that asks, with the code of a pairing link',
      description: 'A code works once, within a day. Browsers get the token as a cookie too.',
      request: { body: body(z.strictObject({ code: z.string().max(200), name: Name.optional() })) },
      responses: {
        200: answer(
          z.strictObject({
            device: DeviceBody,
            token: z.string().describe('for `Authorization: Bearer`; it is not shown again'),
          }),
          'the device is paired',
        ),
        403: answer(ErrorBody, 'the code is none, was used, or is too old'),
        429: answer(ErrorBody, 'too many tries'),
      },
    }),
    async (context) => {
      const { code, name } = context.req.valid('json');
      const paired = await devices.pair(code, name);
      if (!paired)
        throw new Refusal(
          403,
          'bad-code',
          'this code does not work: each works once, within a day; ask an owner for another',
        );
      setCookie(context as Context, TOKEN_COOKIE, paired.token, {
        httpOnly: true,
        sameSite: 'Strict',
        secure: isSecure,
        path: '/',
        maxAge: COOKIE_SECONDS,
      });
      return context.json(paired, 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/devices/me',
      summary: 'Says which device asks',
      responses: { 200: answer(DeviceBody, 'the device') },
    }),
    (context) => {
      return context.json(found(context.get('device'), 'device'), 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'get',
      path: '/api/devices',
      summary: 'Lists devices, those whose access was ended too',
      responses: { 200: answer(z.strictObject({ items: z.array(DeviceBody) }), 'the devices') },
    }),
    async (context) => context.json({ items: await devices.list() }, 200),
  );
  api.openapi(
    route('owner', {
      method: 'post',
      path: '/api/devices/pairings',
      summary: 'Makes a link, and a QR code of it, that pairs one device',
      request: { body: body(z.strictObject({ name: Name, role: z.enum(ROLES) })) },
      responses: {
        200: answer(
          z.strictObject({
            link: z.string(),
            expiresAt: z.string(),
            qr: z.string().describe('the link as a picture, SVG'),
          }),
          'give it to the person whose device it is for',
        ),
      },
    }),
    async (context) => {
      const { name, role } = context.req.valid('json');
      const { code, expiresAt } = await devices.offer(name, role);
      const link = pairingLink(settings.publicUrl ?? originOf(context, settings.behindProxy), code);
      return context.json({ link, expiresAt, qr: await qrCode(link, { type: 'svg' }) }, 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: '/api/devices/{id}',
      summary: 'Ends a device’s access',
      request: { params: ById },
      responses: { 200: answer(DeviceBody, 'the device, which may not ask any more') },
    }),
    async (context) => {
      const device = await devices.revoke(context.req.valid('param').id);
      return context.json(found(device, 'device'), 200);
    },
  );
}

/** Where the one who asks reaches this server. */
function originOf(context: Context, behindProxy: boolean): string {
  const { protocol, host } = new URL(context.req.url);
  const forwarded = (name: string): string | undefined =>
    behindProxy ? context.req.header(`x-forwarded-${name}`) : undefined;
  return `${forwarded('proto') ?? protocol.replace(':', '')}://${forwarded('host') ?? host}`;
}
