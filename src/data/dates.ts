const YEAR_FIRST = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$/;
const MONTH_FIRST = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/;

/**
 * A sampling date in any spelling seen in the wild, as ISO `YYYY-MM-DD`: `2015/9/4` (Kaggle), `9/4/2015` (the
 * same table opened and saved in a US spreadsheet: month first) and `2015-09-04`.
 *
 * @returns null when the text is none of them or names no day of the calendar
 */
export function parseSamplingDate(text: string): string | null {
  const yearFirst = YEAR_FIRST.exec(text.trim());
  if (yearFirst) return calendarDay(yearFirst[1], yearFirst[2], yearFirst[3]);
  const monthFirst = MONTH_FIRST.exec(text.trim());
  if (monthFirst) return calendarDay(monthFirst[3], monthFirst[1], monthFirst[2]);
  return null;
}

function calendarDay(year = '', month = '', day = ''): string | null {
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const date = new Date(`${iso}T00:00:00Z`);
  // An impossible day either does not parse or rolls over into the next month.
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso ? null : iso;
}
