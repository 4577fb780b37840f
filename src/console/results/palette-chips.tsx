import { CopyButton } from "../views/as-graphql.js";
import type { PaletteResult } from "./result-types.js";

export function PaletteChips({ result: { swatches } }: { result: PaletteResult }) {
  return (
    <>
      <div class="palette-bar" aria-hidden="true">
        {swatches.map(({ hex, population }) => (
          <span key={hex} style={{ background: hex, flexGrow: population }} />
        ))}
      </div>
      <ul class="chips" aria-label="Palette">
        {swatches.map(({ hex, population }) => (
          <li key={hex}>
            <span class="chip" style={{ background: hex }} aria-hidden="true" />
            <code>{hex}</code>
            <span class="faint">{percent(population)}</span>
            <CopyButton text={hex} what={`colour ${hex}`} />
          </li>
        ))}
      </ul>
    </>
  );
}

const percent = (part: number): string =>
  part < 0.01 ? "under 1 %" : `${Math.round(part * 100)} %`;
