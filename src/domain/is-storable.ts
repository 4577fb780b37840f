/**
 * Whether PostgreSQL's text and jsonb take it, and all that is in it: they take neither NUL nor
 * half a surrogate pair.
 */
export function isStorable(value: unknown): boolean {
  if (typeof value === "string") return !value.includes("\0") && value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, entry]) => isStorable(key) && isStorable(entry));
}
