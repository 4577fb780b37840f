/** Control characters, and the marks that make a name read other than it is. */
// eslint-disable-next-line no-control-regex -- these are what it is for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const MAX_CHARACTERS = 200;
const ONLY_DOTS = /^[.…\s]*$/;

/**
 * A name to show; it never reaches a file system. Without its folders, and "photo" when no more
 * than dots are left.
 */
export function cleanFilename(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const clean = last.toWellFormed().replaceAll(UNSEEN, "").trim();
  return ONLY_DOTS.test(clean) ? "photo" : [...clean].slice(0, MAX_CHARACTERS).join("");
}
