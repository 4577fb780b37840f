import type { MetadataResult } from "../../../client/src/index.js";
import { number } from "../in-words.js";

export function MetadataCard({ result }: { result: MetadataResult }) {
  const { tags } = result;
  const count = Object.keys(tags).length;
  return (
    <>
      <dl class="card">
        {rowsOf(result).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {count > 0 && (
        <details>
          <summary>All {number(count)} tags</summary>
          <dl class="card is-small">
            {Object.entries(tags).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

function rowsOf({
  camera,
  lens,
  exposure,
  takenAt,
  gps,
  colorProfile,
  width,
  height,
}: MetadataResult): [string, string][] {
  const rows: [string, string | null][] = [
    ["Camera", cameraOf(camera)],
    ["Lens", lens],
    ["Exposure", exposureOf(exposure)],
    ["Taken", takenAt?.replace("T", ", ") ?? null],
    ["Place", gps ? placeOf(gps) : "no location"],
    ["Colours", colorProfile],
    ["Size", `${width} × ${height}`],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null && row[1] !== "");
}

/** Many makers repeat their name in the model name. */
function cameraOf({ make, model }: MetadataResult["camera"]): string | null {
  const [brand = ""] = make?.split(" ") ?? [];
  return model?.toLowerCase().startsWith(brand.toLowerCase())
    ? model
    : [make, model].filter(Boolean).join(" ") || null;
}

function exposureOf({ seconds, fNumber, iso, focalLength }: MetadataResult["exposure"]): string {
  const time = seconds !== null && `${seconds < 0.4 ? `1/${Math.round(1 / seconds)}` : seconds} s`;
  return [
    time,
    fNumber && `ƒ/${round(fNumber)}`,
    iso && `ISO ${iso}`,
    focalLength && `${round(focalLength)} mm`,
  ]
    .filter(Boolean)
    .map((part) => String(part).replace(" ", "\u00a0"))
    .join(" · ");
}

function placeOf({ latitude, longitude, altitude }: NonNullable<MetadataResult["gps"]>): string {
  const point =
    `${Math.abs(latitude).toFixed(5)}° ${latitude < 0 ? "S" : "N"}, ` +
    `${Math.abs(longitude).toFixed(5)}° ${longitude < 0 ? "W" : "E"}`;
  return altitude === null ? point : `${point}, altitude ${Math.round(altitude)} m`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
