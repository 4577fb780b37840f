// Renews .github/page.webp, the picture in README.md: `npm start` in one terminal, then
// `node scripts/screenshot.mjs`. It uploads generated photos, selects some of them in a real
// browser, and photographs the page with the form for a job. CHROMIUM names the browser where it is
// not /usr/bin/chromium.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { makeSamplePhoto } from "../dist/src/imaging/pixels/make-sample-photo.js";

const OUTPUT = fileURLToPath(new URL("../.github/page.webp", import.meta.url));
const WIDTH = 1280;
const HEIGHT = 800;
/** Days on which the photos were taken, and how many on each. */
const DAYS = {
  "2026:11:24": 5,
  "2026:11:21": 2,
  "2026:10:30": 3,
  "2026:08:15": 7,
  "2026:08:02": 4,
};
const SELECTED = [0, 2, 3, 7];

const status = execFileSync(process.execPath, ["dist/bin/status.js", "--json"], {
  encoding: "utf8",
});
/** The link of the running service that signs in. */
const link = JSON.parse(status).console;

const sample = await sharp(await makeSamplePhoto(1200))
  .autoOrient()
  .toBuffer();
const days = Object.entries(DAYS).flatMap(([day, count]) => Array(count).fill(day));
const photos = await Promise.all(days.map(takePhoto));

/** A part of the sample, in colours of its own. */
async function takePhoto(day, i) {
  const side = 600 + ((i * 211) % 500);
  const area = { left: (i * 97) % (1200 - side), top: 1590 - side - ((i * 149) % 420) };
  const buffer = await sharp(sample)
    .extract({ ...area, width: side, height: side })
    .flop(i % 2 === 1)
    .modulate({ hue: (i * 47) % 360, brightness: 0.85 + (i % 4) * 0.15, saturation: 1.2 })
    .withExif({ IFD2: { DateTimeOriginal: `${day} ${10 + (i % 9)}:30:00` } })
    .jpeg()
    .toBuffer();
  return { name: `hills-${i + 1}.jpg`, mimeType: "image/jpeg", buffer };
}

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({
  viewport: { width: WIDTH, height: HEIGHT },
  deviceScaleFactor: 1.5,
  colorScheme: "light",
});
await page.goto(link);
await page.locator("input[type=file]").first().setInputFiles(photos);
await page.getByText(`${photos.length} photos uploaded`).waitFor();
await page.getByRole("region", { name: "Uploads" }).getByRole("button", { name: "Close" }).click();
for (const i of SELECTED) await page.locator(".tile .choose").nth(i).click();
await page.getByRole("button", { name: "New job" }).click();
// Previews arrive a moment after the photos.
await page
  .locator(".tile img.is-there")
  .nth(Math.max(...SELECTED))
  .waitFor();
await page.waitForTimeout(3000);
const picture = await page.screenshot();
await browser.close();
const { size } = await sharp(picture).resize(WIDTH).webp({ quality: 80 }).toFile(OUTPUT);
process.stdout.write(`.github/page.webp: ${Math.ceil(size / 1000)} kB\n`);
