import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Scrolls a row of chips, when the conditions change, to the first one that is on. */
export function useChosenInSight(...conditions: unknown[]): RefObject<HTMLDivElement | null> {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    row.current
      ?.querySelector(".is-on, [aria-pressed=true]")
      ?.scrollIntoView({ block: "nearest", inline: "center" });
  }, conditions);
  return row;
}
