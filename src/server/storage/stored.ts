/** A record out of the database, as its schema has checked it when it went in. */
export const stored = <Item>(text: string): Item => JSON.parse(text) as Item;
