import type { FoundTag } from "../../imaging/metadata/read-every-tag.js";
import { cleanText } from "../metadata/clean-text.js";

/** `EXIF:Make`; the picture inside a photo is one thing, not many tags. */
export function tagName({ group, name }: Pick<FoundTag, "group" | "name">): string {
  return group === "Thumbnail" ? group : (cleanText(`${group}:${name}`, 100) ?? group);
}
