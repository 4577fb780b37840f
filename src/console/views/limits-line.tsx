import { bytes, number } from "../in-words.js";
import { useWorkspace } from "../workspace.js";

export function LimitsLine() {
  const { limits } = useWorkspace();
  const { unfinished, maxUnfinished, storedBytes, maxStoredBytes } = limits.value;
  return (
    <section class="limits" aria-label="Limits">
      <label>
        {number(unfinished)} of {number(maxUnfinished)} unfinished jobs{" "}
        <meter value={unfinished} max={maxUnfinished} high={maxUnfinished * 0.9} />
      </label>
      <label>
        {bytes(storedBytes)} of {bytes(maxStoredBytes)} stored{" "}
        <meter value={storedBytes} max={maxStoredBytes} high={maxStoredBytes * 0.9} />
      </label>
    </section>
  );
}
