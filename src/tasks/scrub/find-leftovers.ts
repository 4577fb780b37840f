import { type FoundTag, readEveryTag } from "../../imaging/metadata/read-every-tag.js";
import { sharp } from "../../imaging/pixels/pixels.js";
import type { PhotoRights } from "./photo-rights.js";
import { cleanText } from "../metadata/clean-text.js";

/** Shorter ones stand in a coded picture by chance. */
const SHORTEST_TEXT = 6;
const MAX_TEXTS = 200;

/**
 * What an output still tells of its photo: names of tags that should be gone, and of those whose
 * text is still there, wherever it stands. Empty for a clean one.
 */
export async function findLeftovers(
  output: Buffer,
  before: FoundTag[],
  kept: { icc: boolean; rights: PhotoRights },
): Promise<string[]> {
  const left = (await readEveryTag(output)).filter((tag) => !mayStay(tag, kept));
  const { icc = Buffer.alloc(0) } = await sharp(output, { limitInputPixels: false }).metadata();
  const told = removedTexts(before, kept.rights).filter(({ text }) =>
    spellings(text).some((bytes) => output.includes(bytes) && !icc.includes(bytes)),
  );
  return [...new Set([...left, ...told].map(tagName))];
}

function mayStay(
  { group, name, text }: FoundTag,
  { icc, rights }: { icc: boolean; rights: PhotoRights },
): boolean {
  if (group === "ICC") return icc;
  if (group !== "EXIF") return false;
  return (
    (name === "Copyright" && text === rights.copyright) ||
    (name === "Artist" && text === rights.artist)
  );
}

/**
 * What the photo said, longest first, but not what is meant to stay: a name may well stand in the
 * copyright, too.
 */
function removedTexts(before: FoundTag[], { copyright, artist }: PhotoRights) {
  const stays = `${copyright}\n${artist}`;
  const texts = before.flatMap((tag) =>
    tag.group === "ICC" || tag.text === null ? [] : [{ ...tag, text: tag.text.trim() }],
  );
  return texts
    .filter(({ text }) => text.length >= SHORTEST_TEXT && !stays.includes(text))
    .sort((a, b) => b.text.length - a.text.length)
    .slice(0, MAX_TEXTS);
}

/** As most write it, and as Windows does. */
function spellings(text: string): Buffer[] {
  return [Buffer.from(text), Buffer.from(text, "utf16le")];
}

/** `EXIF:Make`; the picture inside a photo is one thing, not many tags. */
export function tagName({ group, name }: Pick<FoundTag, "group" | "name">): string {
  return group === "Thumbnail" ? group : (cleanText(`${group}:${name}`, 100) ?? group);
}
