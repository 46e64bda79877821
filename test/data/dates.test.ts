import { describe, expect, it } from 'vitest';
import { type DateOptions, readDates } from '../../src/data/dates.ts';

const read = (texts: readonly string[], options: DateOptions = {}) =>
  readDates(
    texts.map((text, index) => ({ text, row: index + 2 })),
    options,
  );

describe('sampling dates', () => {
  it.each([
    ['2015/9/4', '2015-09-04'],
    ['2015-09-04', '2015-09-04'],
    ['2015.09.04', '2015-09-04'],
    ['20150904', '2015-09-04'],
    ['2015-09-04 00:00:00', '2015-09-04'],
    ['2015-09-04T10:30:00.000Z', '2015-09-04'],
    ['2015-09-04T23:30:00+10:00', '2015-09-04'],
    ['4 Sep 2015', '2015-09-04'],
    ['4-Sep-15', '2015-09-04'],
    ['4th September 2015', '2015-09-04'],
    ['Sep 4, 2015', '2015-09-04'],
    ['Fri 4 Sept 2015 10:30 am', '2015-09-04'],
    ['2015-Sep-04', '2015-09-04'],
    ['42251', '2015-09-04'],
    ['42251.5', '2015-09-04'],
    [' 2016/2/29 ', '2016-02-29'],
    ['4/4/2015', '2015-04-04'],
  ])('reads %j by itself', (text, iso) => {
    expect(read([text])).toMatchObject({ dates: [iso], faults: [] });
  });

  it.each([
    ['15. Oktober 2015', '2015-10-15'],
    ['15. März 2015', '2015-03-15'],
    ['Do, 15. Dez. 2015', '2015-12-15'],
    ['15 février 2015', '2015-02-15'],
    ['15 août 2015', '2015-08-15'],
    ['mar. 15 sept. 2015', '2015-09-15'],
    ['1er juin 2015', '2015-06-01'],
    ['15 de enero de 2015', '2015-01-15'],
    ['15-septiembre-2015', '2015-09-15'],
    ['15 de março de 2015', '2015-03-15'],
    ['15 out 2015', '2015-10-15'],
    ['Mar 15, 2015', '2015-03-15'],
  ])('reads %j by itself, in another language', (text, iso) => {
    expect(read([text])).toMatchObject({ dates: [iso], faults: [] });
  });

  it('does not guess at a month that begins like two', () => {
    expect(read(['15 jui 2015']).dates).toEqual([null]);
  });

  it.each(['yesterday', '2015/13/1', '2015/2/29', '31/13/2015', '2015/9', '4 Foo 2015', '99', '1234567'])(
    'does not guess at %j',
    (text) => {
      const { dates, faults } = read([text], { unlessShown: 'dmy' });
      expect(dates).toEqual([null]);
      expect(faults).toMatchObject([{ row: 2, what: expect.stringContaining(`"${text}"`) }]);
    },
  );

  it('takes the order of day and month from the whole column, and says which row shows it', () => {
    const dayFirst = read(['9/4/2015', '18/05/2015', '1/04/2015 10:30']);
    expect(dayFirst.dates).toEqual(['2015-04-09', '2015-05-18', '2015-04-01']);
    expect(dayFirst.notation).toBe('day first, since row 3 has "18/05/2015"');
    expect(read(['9/4/2015', '5/18/2015']).dates).toEqual(['2015-09-04', '2015-05-18']);
    expect(read(['9.4.2015', '18.5.2015']).dates).toEqual(['2015-04-09', '2015-05-18']);
  });

  it('asks for the order where nothing shows it, and takes the one that is said', () => {
    const open = read(['9/4/2015', '1/2/2015']);
    expect(open.faults).toMatchObject([
      { kind: 'ambiguous', remedy: expect.stringContaining('--dates dmy') },
    ]);
    expect(read(['9/4/2015', '1/2/2015'], { order: 'dmy' }).dates).toEqual(['2015-04-09', '2015-02-01']);
    expect(read(['9/4/2015', '1/2/2015'], { order: 'mdy' }).dates).toEqual(['2015-09-04', '2015-01-02']);
    expect(read(['15/09/04']).faults).toMatchObject([{ kind: 'ambiguous' }]);
    expect(read(['9/4/15', '18/5/15'], { order: 'dmy' }).dates).toEqual(['2015-04-09', '2015-05-18']);
  });

  it.each([
    [['9/4/2015', '2015/9/4'], /notations: .*"9\/4\/2015", row 2.*year first \("2015\/9\/4", row 3\)/],
    [['4 Sep 2015', '42251'], /month by name .*day numbers of Excel/],
    [
      ['18/5/2015', '5/18/2015'],
      /day first \("18\/5\/2015", row 2\) and .*month first \("5\/18\/2015", row 3\)/,
    ],
  ])('does not read a column in two notations %j', (texts, what) => {
    const { dates, faults } = read(texts);
    expect(dates).toEqual([null, null]);
    expect(faults).toMatchObject([{ kind: 'mixed', what: expect.stringMatching(what) }]);
  });

  it('lets dates be missing in whatever way that is written', () => {
    expect(read(['', 'NA', 'n/a', '-', 'NaN', '2015/9/4'])).toMatchObject({
      dates: [null, null, null, null, null, '2015-09-04'],
      faults: [],
    });
  });
});
