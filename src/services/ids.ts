import { InvalidInputError } from "../errors.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Before all ids, to page from. */
export const FIRST_ID = "00000000-0000-0000-0000-000000000000";

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The id in its one spelling; throws InvalidInputError at `path` when it is malformed, which is never "none". */
export function parseId(text: string, path: (string | number)[] = ["id"]): string {
  if (!isUuid(text)) throw InvalidInputError.at(path, "is no id: ids are UUIDs");
  return text.toLowerCase();
}
