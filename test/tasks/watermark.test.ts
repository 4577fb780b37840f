import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { watermark } from "../../src/tasks/watermark/task.js";
import { createWatermarkRun, type Given } from "./watermark/run-watermark.js";

const { folder, run } = createWatermarkRun();

const WIDTH = 600;
const HEIGHT = 400;
const flat = (background: string, width = WIDTH, height = HEIGHT) =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();

/**
 * What the mark has changed of a picture of one colour: the box around it, how much of the box, and
 * the greatest change.
 */
async function inkOf(file: Buffer) {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const background = data[0] ?? 0;
  let [left, top, right, bottom, count, most] = [info.width, info.height, -1, -1, 0, 0];
  for (let at = 0; at < data.length; at += 3) {
    const change = Math.abs((data[at] ?? 0) - background);
    most = Math.max(most, change);
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
  return { left, top, right, bottom, width, height, count, share: count / (width * height), most };
}

const inkOn = async (background: string, given: Given) =>
  inkOf((await run(await flat(background), given)).file);

describe("watermark parameters", () => {
  it("have their defaults", () => {
    assert.deepEqual(watermark.parameters.parse({ text: "©" }), {
      text: "©",
      gravity: "southeast",
      opacity: 0.5,
      scale: 0.3,
    });
  });

  it("are refused outside their bounds, and when they are unknown", () => {
    for (const given of [
      {},
      { text: "a", gravity: "up" },
      { text: "a", opacity: 0 },
      { text: "a", opacity: 1.1 },
      { text: "a", scale: 0 },
      { text: "a", scale: 2 },
      { text: "a", font: "x" },
      { text: 5 },
    ]) {
      assert.equal(watermark.parameters.safeParse(given).success, false, JSON.stringify(given));
    }
  });

  const REFUSED: [string, string, RegExp][] = [
    ["10,000 characters", "x".repeat(10_000), /^has more than 100 characters$/],
    [
      "one character too many, each of two units",
      "👍".repeat(101),
      /^has more than 100 characters$/,
    ],
    ["nothing", "", /^has nothing in it that can be seen$/],
    [
      "blanks and marks that cannot be seen",
      " \u200f\u200b ",
      /^has nothing in it that can be seen$/,
    ],
    ["two lines", "one\ntwo", /^must be one line of plain text/],
    ["a NUL", "one\0two", /^must be one line of plain text/],
    ["half a character", "a\ud83d", /^must be one line of plain text/],
  ];
  for (const [what, text, message] of REFUSED) {
    it(`refuse a text of ${what}`, () => {
      const issue = watermark.parameters.safeParse({ text }).error?.issues[0];
      assert.deepEqual(issue?.path, ["text"]);
      assert.match(issue?.message ?? "", message);
    });
  }

  it("take a hundred characters of two units each", () => {
    assert.equal(watermark.parameters.safeParse({ text: "👍".repeat(100) }).success, true);
  });
});

describe("a watermark", () => {
  it("stands in the corner, as large as asked for, and changes nothing else", async () => {
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
    it(`stands at ${gravity}`, async () => {
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

  it("is as opaque as asked for", async () => {
    for (const opacity of [0.1, 0.5, 1]) {
      const { most } = await inkOn("#000000", { text: "HHH", opacity });
      assert(Math.abs(most - 255 * opacity) < 6, `${most} at ${opacity}`);
    }
  });

  it("can be seen on white and on black", async () => {
    assert((await inkOn("#ffffff", { text: "White?" })).count > 200);
    assert((await inkOn("#000000", { text: "White?" })).count > 1000);
  });

  it("shows letters, not the boxes that stand for missing ones", async () => {
    const bar = await inkOn("#000000", { text: "I", scale: 0.5, opacity: 1 });
    assert(bar.height > 5 * bar.width && bar.share > 0.9, JSON.stringify(bar));
    const ring = await inkOn("#000000", { text: "O", scale: 0.5, opacity: 1 });
    assert(ring.share > 0.3 && ring.share < 0.6, JSON.stringify(ring));
  });

  it("shows letters on a machine without fonts, too", async () => {
    const photo = folder.write(await flat("#000000"));
    const nothing = folder.write(
      '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>',
      "fonts.conf",
    );
    // Three bars with gaps between them, in three scripts; the boxes of missing letters would be
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

  it("takes markup for text", async () => {
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

  it("draws emoji, Arabic, and marks of direction", async () => {
    for (const text of ["👍🏽❤️", "مرحبا بالعالم", "\u202eabc\u200f"])
      assert((await inkOn("#000000", { text })).count > 100, text);
  });

  it("stays on one line and within the picture, however long, and never breaks a word", async () => {
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
