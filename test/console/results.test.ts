// The result of each Job, in a real browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import {
  accessibilityFaults,
  closeWindow,
  NOT_ALL,
  startBrowser,
  type PersonAtPage,
  type TestBrowser,
} from "../support/clients/browser.js";
import type { TestClient } from "../support/clients/test-client.js";
import { exampleParameters } from "../support/service/example-parameters.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { catalogue } from "../../src/tasks/catalogue.js";

interface Shown {
  /** Instead of the examples and defaults. */
  parameters?: object;
  sees: [selector: string, count: number][];
}

/** Selectors that the result of each Job must match, and how often. All others show JSON. */
const SHOWN: Record<string, Shown> = {
  thumbnail: {
    parameters: { widths: [32, 64] },
    sees: [
      [".outputs img", 2],
      ["button:text('Download all (ZIP)')", 1],
    ],
  },
  convert: {
    sees: [
      [".outputs img", 1],
      ["text=WEBP, 300 × 200", 1],
    ],
  },
  metadata: {
    sees: [
      ["dt:text('Camera') + dd:text('Canon EOS 40D')", 1],
      ["dt:text('Place') + dd:text('43.50000° N, 11.25000° E')", 1],
    ],
  },
  scrub: {
    sees: [
      [".tags li:text-is('EXIF:GPSLatitude')", 1],
      [".outputs img", 1],
    ],
  },
  placeholder: {
    sees: [
      [".reveal img.is-there", 1],
      [".reveal img.blur", 1],
    ],
  },
  palette: {
    parameters: { colors: 3 },
    sees: [
      [".chips li", 3],
      [".palette-bar span", 3],
    ],
  },
  hash: { sees: [[".alike li", 2]] },
  crop: {
    parameters: { ratios: ["1:1", "2:1"] },
    sees: [
      [".crop-boxes .box", 2],
      [".outputs img", 2],
    ],
  },
  watermark: { sees: [[".outputs img", 1]] },
  "contact-sheet": {
    sees: [
      ["text=2 columns and 1 row", 1],
      [".outputs img", 1],
    ],
  },
  archive: {
    sees: [
      ["text=2 photos, ", 1],
      ["a.download:text-is('Download photos.zip')", 1],
    ],
  },
  prepare: {
    sees: [
      [".reveal img.is-there", 1],
      [".chips li", 5],
      [".alike li", 2],
      [".outputs img", 2],
      ["dt:text('Camera')", 1],
    ],
  },
};
const AS_JSON: Shown = { sees: [[".result > pre", 1]] };

describe("the result section", { skip: NOT_ALL }, () => {
  let service: TestService;
  let browser: TestBrowser;
  let client: TestClient;
  let person: PersonAtPage;
  let photoIds: string[];
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
    client = await service.person();
    const photo = await makePhoto();
    const smaller = await sharp(photo).resize(150).jpeg().toBuffer();
    photoIds = [];
    for (const bytes of [photo, smaller])
      photoIds.push(String((await client.upload(bytes)).json["id"]));
    person = await browser.signIn(service.url, client.token, { view: "jobs" });
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  for (const [name, task] of catalogue) {
    const { parameters = exampleParameters(task), sees } = SHOWN[name] ?? AS_JSON;
    it(`shows the result of ${name}`, { timeout: 30_000 }, async () => {
      const { page } = person;
      const { id } = await client.enqueue(name, parameters, {
        photoIds: photoIds.slice(0, task.maxPhotos),
      });
      await page.locator(`[data-id="${id}"] .open`).click();
      await page.getByRole("region", { name: "Result" }).waitFor();
      for (const [selector, count] of sees) {
        const shown = page.locator(
          `.details ${selector.startsWith("text=") ? `>> ${selector}` : selector}`,
        );
        await shown.nth(count - 1).waitFor();
        assert.equal(await shown.count(), count, selector);
      }
      assert.deepEqual(await accessibilityFaults(page), []);
    });
  }

  it("saves all files of a job as one ZIP file", { timeout: 30_000 }, async () => {
    const { page } = person;
    const photo = { photoIds: photoIds.slice(0, 1) };
    const { id } = await client.enqueue("thumbnail", { widths: [40, 50] }, photo);
    await page.locator(`[data-id="${id}"] .open`).click();
    await page.locator(".outputs", { hasText: "50w.webp" }).waitFor();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download all (ZIP)" }).click();
    const file = await saved;
    assert.equal(file.suggestedFilename(), "photo.zip");
    const bytes = readFileSync(await file.path(), "latin1");
    assert.deepEqual(bytes.match(/[45]0w\.webp/g)?.slice(0, 2), ["40w.webp", "50w.webp"]);
  });

  it("keeps a picture in the photos", { timeout: 30_000 }, async () => {
    const { page } = person;
    const photo = { photoIds: photoIds.slice(0, 1) };
    const { id } = await client.enqueue("thumbnail", { widths: [48] }, photo);
    await page.locator(`[data-id="${id}"] .open`).click();
    await page.getByRole("button", { name: "Keep: 48w.webp" }).click();
    await page.getByRole("button", { name: "Kept in your photos: 48w.webp" }).waitFor();
    await page.getByRole("link", { name: "Photos" }).click();
    await page.locator(".tile").getByRole("button", { name: "48w.webp" }).waitFor();
    await page.getByRole("link", { name: "Jobs" }).click();
    assert.deepEqual(await accessibilityFaults(page), []);
  });

  it("logs no error", () => closeWindow(person));
});

/** A photo of 300 × 200 pixels with many colours, a camera and a place. */
async function makePhoto(): Promise<Buffer> {
  const [width, height] = [300, 200];
  const samples = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    samples.set(
      [(x * 255) / width, (y * 255) / height, (Math.sin(x / 20) * Math.cos(y / 15) + 1) * 127],
      i * 3,
    );
  }
  const exif = {
    IFD0: { Make: "Canon", Model: "Canon EOS 40D" },
    IFD3: {
      GPSLatitudeRef: "N",
      GPSLatitude: "43/1 30/1 0/1",
      GPSLongitudeRef: "E",
      GPSLongitude: "11/1 15/1 0/1",
    },
  };
  return sharp(samples, { raw: { width, height, channels: 3 } })
    .withExif(exif)
    .jpeg()
    .toBuffer();
}
