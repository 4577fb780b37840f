// EXIF 2.32, 4.6.5: "YYYY:MM:DD HH:MM:SS", blanks or zeros when unknown; the offset, if any, stands
// in a tag of its own. XMP writes ISO 8601, offset included.
const DATE =
  /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?/;
const OFFSET = /^(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * ISO 8601 of a camera's wall clock, with the offset that the file itself gives or with none: the
 * server's own zone has no say. Null when it is no date.
 */
export function takenAt(date: string, offset: string | null): string | null {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "00", ownOffset] =
    DATE.exec(date) ?? [];
  const inRange =
    Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
  if (
    year === "0000" ||
    !inRange ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 60
  )
    return null;
  const zone = ownOffset ?? offset ?? "";
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${OFFSET.test(zone) ? zone : ""}`;
}
