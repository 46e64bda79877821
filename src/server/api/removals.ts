import { z } from '@hono/zod-openapi';
import { Uuid } from '../../farm/index.ts';
import type { Farm } from '../services/farm.ts';
import { Part, part, partOf } from './listing.ts';
import { type Api, answer, route } from './route.ts';

const Removal = z.strictObject({
  id: Uuid,
  kind: z.enum(['paddock', 'visit', 'photo', 'cut']),
  at: z.string(),
  into: Uuid.nullable().describe('the visit that it is part of now; null: it was removed'),
});

/** `/api/removals`: what devices that were away are to forget. */
export function addRemovals(api: Api, { db }: Farm): void {
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/removals',
      summary: 'Lists what was removed, and visits that are part of another now',
      request: { query: Part },
      responses: { 200: answer(partOf(Removal), 'a part of them, by id') },
    }),
    async (context) => {
      const { after = '', limit } = context.req.valid('query');
      const rows = await db
        .selectFrom('removals')
        .where('id', '>', after)
        .select(({ val }) => ['id', 'kind', 'removed_at as at', val<string | null>(null).as('into')])
        .unionAll(
          db
            .selectFrom('joined_visits')
            .where('id', '>', after)
            .select(({ val }) => ['id', val('visit').as('kind'), 'joined_at as at', 'visit_id as into']),
        )
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      const read = (row: (typeof rows)[number]) => row as z.output<typeof Removal>;
      return context.json(part(rows, limit, read), 200);
    },
  );
}
