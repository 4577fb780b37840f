import { type FoundTag, readEveryTag } from "../../imaging/metadata/read-every-tag.js";
import { sharp } from "../../imaging/pixels/pixels.js";
import type { PhotoRights } from "./photo-rights.js";
import { cleanText } from "../../imaging/metadata/clean-text.js";

/** Minimum characters of a text; shorter ones appear in coded pictures by chance. */
const SHORTEST_TEXT = 6;
const MAX_TEXTS = 200;

/**
 * The names of tags that should be gone from an output, but whose tag or text is still somewhere in
 * it. Empty for a clean output.
 */
export async function findLeftovers(
  output: Buffer,
  before: FoundTag[],
  kept: { icc: boolean; rights: PhotoRights },
): Promise<string[]> {
  const left = (await readEveryTag(output)).filter((tag) => !mayStay(tag, kept));
  const { icc = Buffer.alloc(0) } = await sharp(output, { limitInputPixels: false }).metadata();
  const visible = removedTexts(before, kept.rights).filter(({ text }) =>
    spellings(text).some((bytes) => output.includes(bytes) && !icc.includes(bytes)),
  );
  return [...new Set([...left, ...visible].map(tagName))];
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
 * The texts that should be gone, longest first. Texts that also appear in the kept rights are
 * excluded.
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

/** UTF-8, and UTF-16, which Windows uses. */
function spellings(text: string): Buffer[] {
  return [Buffer.from(text), Buffer.from(text, "utf16le")];
}

/** A name such as `EXIF:Make`; an embedded thumbnail counts as one tag. */
export function tagName({ group, name }: Pick<FoundTag, "group" | "name">): string {
  return group === "Thumbnail" ? group : (cleanText(`${group}:${name}`, 100) ?? group);
}
