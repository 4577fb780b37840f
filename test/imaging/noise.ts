import { sharp } from "../../src/imaging/pixels/pixels.js";

/** A picture of random noise, the same for the same seed, whose coded data is long. */
export function noise(width: number, height: number, seed = 1) {
  const data = Buffer.alloc(width * height * 3);
  // This is the generator of Numerical Recipes: x ← 1664525 x + 1013904223 mod 2³².
  let state = seed;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = state >>> 24;
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}
