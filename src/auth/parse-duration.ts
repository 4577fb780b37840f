const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_SECONDS = 3650 * 86_400;

/**
 * Returns the seconds of a text like `90s`, `30m`, `1h` or `2d`; 1 s to 3650 days. Throws an Error
 * that says what is expected.
 */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,12})([smhd])$/.exec(text.trim()) ?? [];
  const seconds = Number(count) * (SECONDS[unit ?? ""] ?? Number.NaN);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new Error(
      `${JSON.stringify(text)} is not a duration: a whole number with a unit is ` +
        "expected, such as 90s, 30m, 1h or 2d (3650d at most).",
    );
  }
  return seconds;
}
