import type { Database } from '../storage/database.ts';
import { ROLES, type Role } from './roles.ts';
import { isSecretOf, newSecret, partsOf } from './secrets.ts';

/** A phone or computer that was paired. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  /** When it last asked, to a few minutes; null: never since it was paired. */
  readonly seenAt: string | null;
  /** Null while it may be used. */
  readonly revokedAt: string | null;
}

/** How long a pairing can be taken up. */
const PAIRING_MS = 24 * 60 * 60_000;

/** How old what is kept of when a device last asked may be: every request would be a write else. */
const SEEN_MS = 5 * 60_000;

/** Devices of the farm and how new ones come in. */
export interface Devices {
  /** A code that pairs one device, once, within a day. */
  offer(name: string, role: Role): Promise<{ readonly code: string; readonly expiresAt: string }>;
  /** Takes up a pairing. @returns null for a code that is none, was used, or is too old */
  pair(
    code: string,
    name: string | undefined,
  ): Promise<{ readonly device: Device; readonly token: string } | null>;
  /** The device that bears a token, one that was revoked too; null for a token that is none. */
  bearerOf(token: string): Promise<Device | null>;
  /** Whether a device may still be used. */
  isActive(id: string): Promise<boolean>;
  list(): Promise<Device[]>;
  /** @returns null where there is no such device */
  revoke(id: string): Promise<Device | null>;
  /** Whether any owner can use the server. */
  hasOwner(): Promise<boolean>;
}

/** The devices in a database. */
export function devicesIn(db: Database): Devices {
  const find = async (id: string): Promise<(Device & { readonly hash: string }) | null> => {
    const row = await db.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? { ...deviceOf(row), hash: row.token_hash } : null;
  };
  const noteSeen = async ({ id, seenAt }: Device): Promise<void> => {
    const now = Date.now();
    if (seenAt !== null && now - Date.parse(seenAt) < SEEN_MS) return;
    await db
      .updateTable('devices')
      .set({ seen_at: new Date(now).toISOString() })
      .where('id', '=', id)
      .execute()
      // A full disk keeps nobody from reading.
      .catch(() => {});
  };
  return {
    async offer(name, role) {
      const { id, hash, text } = newSecret();
      const expiresAt = new Date(Date.now() + PAIRING_MS).toISOString();
      await db
        .insertInto('pairings')
        .values({ id, name, role, secret_hash: hash, expires_at: expiresAt, used_at: null })
        .execute();
      return { code: text, expiresAt };
    },
    async pair(code, name) {
      const parts = partsOf(code);
      if (!parts) return null;
      const offer = await db.selectFrom('pairings').selectAll().where('id', '=', parts.id).executeTakeFirst();
      if (!isSecretOf(parts.secret, offer?.secret_hash) || !offer) return null;
      const { id, hash, text } = newSecret();
      const now = new Date().toISOString();
      return db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('pairings')
          .set({ used_at: now })
          .where('id', '=', offer.id)
          .where('used_at', 'is', null)
          .where('expires_at', '>', now)
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) return null;
        const row = {
          ...{ id, name: name ?? offer.name, role: offer.role },
          ...{ created_at: now, seen_at: null, revoked_at: null },
        };
        await tx
          .insertInto('devices')
          .values({ ...row, token_hash: hash })
          .execute();
        return { device: deviceOf(row), token: text };
      });
    },
    async bearerOf(token) {
      const parts = partsOf(token);
      if (!parts) return null;
      const found = await find(parts.id);
      if (!isSecretOf(parts.secret, found?.hash) || !found) return null;
      const { hash: _, ...device } = found;
      if (device.revokedAt === null) await noteSeen(device);
      return device;
    },
    async isActive(id) {
      const device = await find(id);
      return device !== null && device.revokedAt === null;
    },
    async list() {
      return (await db.selectFrom('devices').selectAll().orderBy('created_at').execute()).map(deviceOf);
    },
    async revoke(id) {
      const now = new Date().toISOString();
      await db
        .updateTable('devices')
        .set({ revoked_at: now })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      const found = await find(id);
      if (!found) return null;
      const { hash: _, ...device } = found;
      return device;
    },
    async hasOwner() {
      const owner = await db
        .selectFrom('devices')
        .select('id')
        .where('role', '=', 'owner')
        .where('revoked_at', 'is', null)
        .limit(1)
        .executeTakeFirst();
      return owner !== undefined;
    },
  };
}

function deviceOf(row: {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created_at: string;
  readonly seen_at: string | null;
  readonly revoked_at: string | null;
}): Device {
  return {
    id: row.id,
    name: row.name,
    role: ROLES.find((role) => role === row.role) ?? 'viewer',
    createdAt: row.created_at,
    seenAt: row.seen_at,
    revokedAt: row.revoked_at,
  };
}
