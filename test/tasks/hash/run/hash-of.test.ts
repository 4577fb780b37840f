// How often copies are distinguished from other photos.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { hash } from "../../../../src/tasks/hash/task.js";
import { scene } from "../../../imaging/scene.js";
import { noSharedPhotos, sharedPhotos } from "../../../imaging/shared-photos.js";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { long } from "../../../support/runner/long.js";
import { runTask } from "../../run-task.js";

const folder = temporaryFolder();
const hashOf = async (bytes: Uint8Array) =>
  (await runTask(hash, folder.write(bytes), {})).result.phash;

type Copy = [
  name: string,
  make: (upright: Buffer, size: { width: number; height: number }) => Promise<Buffer>,
];

const FAITHFUL: Copy[] = [
  [
    "half the size",
    (upright, { width }) =>
      sharp(upright)
        .resize(Math.ceil(width / 2))
        .png()
        .toBuffer(),
  ],
  ["160 pixels wide", (upright) => sharp(upright).resize(160).jpeg({ quality: 80 }).toBuffer()],
  ["JPEG of quality 30", (upright) => sharp(upright).jpeg({ quality: 30 }).toBuffer()],
  ["WebP of quality 40", (upright) => sharp(upright).webp({ quality: 40 }).toBuffer()],
];
const CROPPED: Copy[] = [
  [
    "without two percent at each side",
    (upright, { width, height }) =>
      sharp(upright)
        .extract({
          left: Math.round(width / 50),
          top: Math.round(height / 50),
          width: Math.round(width * 0.96),
          height: Math.round(height * 0.96),
        })
        .jpeg()
        .toBuffer(),
  ],
  [
    "without three percent at the left",
    (upright, { width, height }) =>
      sharp(upright)
        .extract({
          left: width - Math.round(width * 0.97),
          top: 0,
          width: Math.round(width * 0.97),
          height,
        })
        .jpeg()
        .toBuffer(),
  ],
];

/** Counts the digits of a binary text, unlike the service. */
function distance(one: string, other: string): number {
  return [...(BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2)].filter((bit) => bit === "1")
    .length;
}

interface Subject {
  phash: string;
  faithful: number[];
  cropped: number[];
}

async function look(bytes: Buffer): Promise<Subject> {
  const upright = await sharp(bytes)
    .autoOrient()
    .resize(800, 800, { fit: "inside", withoutEnlargement: true })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const size = await sharp(upright).metadata();
  const phash = (await hashOf(bytes)) ?? assert.fail("flat");
  const distances = (copies: Copy[]) =>
    Promise.all(
      copies.map(async ([, make]) =>
        distance(phash, (await hashOf(await make(upright, size))) ?? assert.fail("flat")),
      ),
    );
  return { phash, faithful: await distances(FAITHFUL), cropped: await distances(CROPPED) };
}

function rate(distances: number[], within: number): number {
  return distances.filter((each) => each <= within).length / distances.length;
}

function assertRates(subjects: Subject[], say: (line: string) => void): void {
  const [faithful, cropped] = [
    subjects.flatMap((subject) => subject.faithful),
    subjects.flatMap((subject) => subject.cropped),
  ];
  const others = subjects.flatMap(({ phash }, at) =>
    subjects.slice(at + 1).map((other) => distance(phash, other.phash)),
  );
  say(
    `resized and recompressed: ${rate(faithful, 6)} found at 6, at most ` +
      `${Math.max(...faithful)} apart; cropped: ${rate(cropped, 6)} found at 6, ` +
      `${rate(cropped, 10)} at 10; others: ${rate(others, 6)} at 6, ${rate(others, 10)} at ` +
      `10, at least ${Math.min(...others)} apart (${others.length} pairs)`,
  );
  assert.equal(rate(faithful, 6), 1);
  assert(rate(cropped, 10) >= 0.9);
  assert.deepEqual([rate(others, 6), rate(others, 10)], [0, 0]);
}

describe("perceptual hashes", () => {
  it("distinguish copies from other pictures among generated pictures", async (t) => {
    const subjects: Subject[] = [];
    for (let seed = 1; seed <= 8; seed++) subjects.push(await look(await scene(seed * 7919)));
    assertRates(subjects, (line) => t.diagnostic(line));
  });

  it(
    "distinguish copies from other photos among real photos",
    { skip: noSharedPhotos || long.skip },
    async (t) => {
      const subjects: Subject[] = [];
      // The landscapes show one scene in eight orientations.
      const names = readdirSync(sharedPhotos).filter(
        (name) => name.endsWith(".jpg") && !/^landscape_[2-8]/.test(name),
      );
      for (const name of names) subjects.push(await look(readFileSync(sharedPhotos + name)));
      assertRates(subjects, (line) => t.diagnostic(line));
    },
  );
});
