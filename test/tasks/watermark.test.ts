import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { watermark } from "../../src/tasks/watermark/task.js";
import { createWatermarkRun, type Input } from "./watermark/run-watermark.js";

const { folder, run } = createWatermarkRun();

const WIDTH = 600;
const HEIGHT = 400;
const flat = (background: string, width = WIDTH, height = HEIGHT) =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();

/**
 * The changes of the mark in a picture of one colour: the box around it, its share of the box, and
 * the greatest change.
 */
async function inkOf(file: Buffer) {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const background = data[0] ?? 0;
  let [left, top, right, bottom, count, maxChange] = [info.width, info.height, -1, -1, 0, 0];
  for (let at = 0; at < data.length; at += 3) {
    const change = Math.abs((data[at] ?? 0) - background);
    maxChange = Math.max(maxChange, change);
    if (change < 20) continue;
    const [x, y] = [(at / 3) % info.width, Math.floor(at / 3 / info.width)];
    [left, right, top, bottom] = [
      Math.min(left, x),
      Math.max(right, x),
      Math.min(top, y),
      Math.max(bottom, y),
    ];
    count++;
  }
  const [width, height] = [right - left + 1, bottom - top + 1];
  return {
    left,
    top,
    right,
    bottom,
    width,
    height,
    count,
    share: count / (width * height),
    maxChange,
  };
}

const inkOn = async (background: string, input: Input) =>
  inkOf((await run(await flat(background), input)).file);

describe("watermark parameters", () => {
  it("have defaults for all except the text", () => {
    assert.deepEqual(watermark.parameters.parse({ text: "©" }), {
      text: "©",
      gravity: "southeast",
      opacity: 0.5,
      scale: 0.3,
    });
  });

  it("are rejected outside their limits, and when they are unknown", () => {
    for (const input of [
      {},
      { text: "a", gravity: "up" },
      { text: "a", opacity: 0 },
      { text: "a", opacity: 1.1 },
      { text: "a", scale: 0 },
      { text: "a", scale: 2 },
      { text: "a", font: "x" },
      { text: 5 },
    ]) {
      assert.equal(watermark.parameters.safeParse(input).success, false, JSON.stringify(input));
    }
  });

  const REFUSED: [string, string, RegExp][] = [
    ["10,000 characters", "x".repeat(10_000), /^has more than 100 characters$/],
    ["101 characters of two units each", "👍".repeat(101), /^has more than 100 characters$/],
    ["no characters", "", /^has no visible characters$/],
    ["blanks and invisible marks", " \u200f\u200b ", /^has no visible characters$/],
    ["two lines", "one\ntwo", /^must be one line of plain text/],
    ["a NUL", "one\0two", /^must be one line of plain text/],
    ["half a character", "a\ud83d", /^must be one line of plain text/],
  ];
  for (const [kind, text, message] of REFUSED) {
    it(`reject a text of ${kind}`, () => {
      const issue = watermark.parameters.safeParse({ text }).error?.issues[0];
      assert.deepEqual(issue?.path, ["text"]);
      assert.match(issue?.message ?? "", message);
    });
  }

  it("accept a hundred characters of two units each", () => {
    assert.equal(watermark.parameters.safeParse({ text: "👍".repeat(100) }).success, true);
  });
});

describe("a watermark", () => {
  it("is in the corner, in the requested size, and changes nothing else", async () => {
    const { result, file, outputs } = await run(await flat("#202020"), { text: "Photo Service" });
    assert.deepEqual(result, { width: WIDTH, height: HEIGHT, format: "png" });
    assert.deepEqual(outputs, [
      {
        name: "watermarked.png",
        mimeType: "image/png",
        byteSize: file.length,
        width: WIDTH,
        height: HEIGHT,
      },
    ]);
    const { left, top, right, bottom, width } = await inkOf(file);
    assert(Math.abs(width - 0.3 * WIDTH) < 10, `${width} wide`);
    assert(
      right > WIDTH - 16 && right < WIDTH - 4 && bottom > HEIGHT - 25 && bottom < HEIGHT - 4,
      `${right}, ${bottom}`,
    );
    const rest = await sharp(file)
      .extract({ left: 0, top: 0, width: WIDTH, height: top - 8 })
      .raw()
      .toBuffer();
    assert(rest.every((value) => value === 0x20) && left > WIDTH / 2);
  });

  for (const gravity of [
    "northwest",
    "north",
    "northeast",
    "west",
    "center",
    "east",
    "southwest",
    "south",
    "southeast",
  ] as const) {
    it(`is placed at ${gravity}`, async () => {
      const { left, right, top, bottom } = await inkOn("#202020", {
        text: "Hm",
        gravity,
        scale: 0.2,
      });
      const third = (first: number, last: number, all: number) =>
        Math.floor((3 * (first + last)) / 2 / all);
      const column = Number(!gravity.endsWith("west")) + Number(gravity.endsWith("east"));
      const row = Number(!gravity.startsWith("north")) + Number(gravity.startsWith("south"));
      assert.deepEqual([third(left, right, WIDTH), third(top, bottom, HEIGHT)], [column, row]);
    });
  }

  it("has the requested opacity", async () => {
    for (const opacity of [0.1, 0.5, 1]) {
      const { maxChange } = await inkOn("#000000", { text: "HHH", opacity });
      assert(Math.abs(maxChange - 255 * opacity) < 6, `${maxChange} at ${opacity}`);
    }
  });

  it("is visible on white and on black", async () => {
    assert((await inkOn("#ffffff", { text: "White?" })).count > 200);
    assert((await inkOn("#000000", { text: "White?" })).count > 1000);
  });

  it("shows letters, not the boxes for missing letters", async () => {
    const bar = await inkOn("#000000", { text: "I", scale: 0.5, opacity: 1 });
    assert(bar.height > 5 * bar.width && bar.share > 0.9, JSON.stringify(bar));
    const letterO = await inkOn("#000000", { text: "O", scale: 0.5, opacity: 1 });
    assert(letterO.share > 0.3 && letterO.share < 0.6, JSON.stringify(letterO));
  });

  it("shows letters on a machine without fonts", async () => {
    const photo = folder.write(await flat("#000000"));
    const nothing = folder.write(
      '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>',
      "fonts.conf",
    );
    // The letters are three bars with gaps, in three scripts; boxes for missing letters would be
    // hollow.
    const parameters = JSON.stringify(
      watermark.parameters.parse({ text: "IΙІ", scale: 0.5, opacity: 1 }),
    );
    const program = new URL("../../src/tasks/watermark/run.js", import.meta.url);
    const script = `
      import { writeFileSync } from "node:fs";
      import { run } from ${JSON.stringify(program)};
      await run({
        parameters: ${parameters},
        photos: [{ path: ${JSON.stringify(photo)} }],
        signal: new AbortController().signal,
        progress() {},
        output: async ({ data }) => writeFileSync(${JSON.stringify(`${photo}.out`)}, data),
      });`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { PATH: process.env["PATH"], FONTCONFIG_FILE: nothing },
    });
    const { share, width, height } = await inkOf(readFileSync(`${photo}.out`));
    assert(height > width && share > 0.25 && share < 0.6, `${share} of ${width} × ${height}`);
    const here = await inkOn("#000000", { text: "IΙІ", scale: 0.5, opacity: 1 });
    assert(
      Math.abs(here.width - width) < 8 && Math.abs(here.share - share) < 0.08,
      JSON.stringify(here),
    );
  });

  it("treats markup as text", async () => {
    const shape = async (text: string) => {
      const { width, height } = await inkOn("#000000", { text, scale: 0.9 });
      return width / height;
    };
    const plain = await shape("AT");
    for (const text of [
      "<b>AT</b>",
      "AT&amp;T",
      "<span size='1'>AT",
      'AT&T <b> "quoted" \'s',
      "&#65;&lt;",
    ])
      assert((await shape(text)) > 1.5 * plain, text);
  });

  it("draws emoji, Arabic, and direction marks", async () => {
    for (const text of ["👍🏽❤️", "مرحبا بالعالم", "\u202eabc\u200f"])
      assert((await inkOn("#000000", { text })).count > 100, text);
  });

  it("stays on one line within the picture for any length, and never breaks a word", async () => {
    const { left, right, height } = await inkOn("#000000", {
      text: "W".repeat(100),
      scale: 1,
      gravity: "center",
    });
    assert(
      left >= 4 && right < WIDTH - 4 && right - left > 0.9 * WIDTH && height < 16,
      `${left} to ${right}, ${height} high`,
    );
  });

  it("is sharp on a large picture", async () => {
    const { file } = await run(await flat("#000000", 2400, 1600), {
      text: "H",
      scale: 0.5,
      opacity: 1,
      gravity: "center",
    });
    const row = await sharp(file)
      .extract({ left: 0, top: 500, width: 2400, height: 1 })
      .extractChannel(0)
      .raw()
      .toBuffer();
    const between = row.filter((value) => value > 40 && value < 215).length;
    assert(between <= 8, `${between} pixels are neither black nor white`);
  });

  it("fits on the smallest pictures", async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 300],
      [300, 1],
      [3, 2],
    ] as const) {
      for (const scale of [0.3, 1]) {
        const { result } = await run(await flat("#202020", width, height), {
          text: "Photo Service",
          scale,
        });
        assert.deepEqual([result.width, result.height], [width, height]);
      }
    }
  });
});
