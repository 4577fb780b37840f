import type { SeededRandom } from "../../support/runner/seeded-random.js";

const ODD = [
  "\0",
  "\ud800",
  "\uffff",
  "{",
  "}",
  "[",
  "]",
  "(",
  ")",
  '"',
  '"""',
  "\\",
  "\\u{110000}",
  "...",
  "@",
  "$",
  "!",
  "#",
  "\r\n",
  "--",
  "9".repeat(400),
  "-1",
  "1e999",
  "null",
  "__proto__",
  "__schema",
  "fragment",
  "on",
  "true",
  "\u202e",
  "'; select 1 --",
  "../",
  "%00",
];

/** Changes a valid text in one to four places. */
export function mutateText(random: SeededRandom, text: string): string {
  let changed = text;
  for (let times = 1 + random.below(4); times > 0; times--)
    changed = mutateOnce(random, changed).slice(0, 200_000);
  return changed;
}

function mutateOnce(random: SeededRandom, text: string): string {
  const [at, length] = [random.below(text.length + 1), random.below(20)];
  const kinds = [
    () => text.slice(0, at) + random.pick(ODD) + text.slice(at),
    () => text.slice(0, at) + text.slice(at + length),
    () =>
      text.slice(0, at) + text.slice(at, at + length).repeat(1 + random.below(50)) + text.slice(at),
    () =>
      text.slice(0, at) +
      String.fromCharCode(random.below(random.below(2) ? 128 : 65_536)) +
      text.slice(at + 1),
    () => text.slice(0, at),
    () => text.slice(at) + text.slice(0, at),
    () => text.replace(/\w+/g, (word) => (random.below(8) === 0 ? random.pick(ODD) : word)),
  ];
  return random.pick(kinds)();
}

/** Changes valid bytes in one to four places. */
export function mutateBytes(random: SeededRandom, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0 && changed.length > 0; times--)
    changed[random.below(changed.length)] = random.below(256);
  const at = random.below(changed.length + 1);
  const cuts = [
    () => changed,
    () => changed,
    () => changed.subarray(0, at),
    () => changed.subarray(at),
    () => Buffer.concat([changed, changed.subarray(at)]),
  ];
  return random.pick(cuts)();
}
