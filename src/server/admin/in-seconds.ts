/** A duration for people: `0.214 s`, `12.3 s`, `5 min`, `3 h`; empty for none. */
export function inSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  if (seconds >= 2 * 3600) return `${Math.round(seconds / 3600)} h`;
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`;
  return `${seconds.toFixed(seconds >= 10 ? 1 : 3)} s`;
}
