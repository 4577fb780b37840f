// Keys by which the index `photos_user_keys` finds photos. Each begins with the end of the user's id,
// so that it leads to hardly any photos of others. The expressions use built-in functions only: an
// extension needs rights, and pg_trgm has no keys for letters beyond ASCII in the locale C.

const USER = "right(user_id::text, 12)";
export const keyPrefix = (userId: string): string => userId.slice(-12);

/** Characters of a key; those at the end of a name are shorter. */
export const NAME_KEY_LENGTH = 3;

/** Keys from every third character of a name on. A slash ends each, because no name contains one. */
const namePart = (from: number) =>
  `regexp_replace(substr(lower(filename), ${from}), '(.{1,${NAME_KEY_LENGTH}})', ` +
  `${USER} || '\\1/', 'g')`;

/** A `tsvector` with a key from each character of the name on. */
export const NAME_KEYS =
  `array_to_tsvector(array_remove(string_to_array(${namePart(1)} || ${namePart(2)} || ` +
  `${namePart(3)}, '/'), ''))`;

/** Two hashes that differ in fewer bits than this have at least one key in common. */
export const KEYS_PER_HASH = 7;
const BITS_PER_KEY = 9n;

/** The last key also has the bit that remains. */
const bitsAt = (index: number) => ({
  shift: BigInt(index) * BITS_PER_KEY,
  mask: index < KEYS_PER_HASH - 1 ? 0x1ffn : 0x3ffn,
});
const eachKey = (key: (index: number) => string) =>
  Array.from({ length: KEYS_PER_HASH }, (_, index) => key(index));

/** A `text[]` with the parts of the perceptual hash. */
export const HASH_KEYS = `(array[${eachKey((index) => {
  const { shift, mask } = bitsAt(index);
  return `${USER} || ':${index}:' || ((phash >> ${shift}) & ${mask})::text`;
}).join(", ")}])`;

export const hashKeys = (userId: string, phash: bigint): string[] =>
  eachKey((index) => {
    const { shift, mask } = bitsAt(index);
    return `${keyPrefix(userId)}:${index}:${(phash >> shift) & mask}`;
  });
