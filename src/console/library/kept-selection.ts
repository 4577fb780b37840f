import { NONE_CHOSEN, type Chosen } from "../grid/selection.js";

const KEY = "photo-service selected";
/** More would slow each click down. */
const MAX_KEPT = 1000;

/** Keeps the selection for a reload of this tab; that of all photos is not kept. */
export function storeChosen(chosen: Chosen): void {
  const isKept = chosen.kind === "some" && chosen.ids.size > 0 && chosen.ids.size <= MAX_KEPT;
  if (isKept) sessionStorage.setItem(KEY, [...chosen.ids].join(","));
  else sessionStorage.removeItem(KEY);
}

export function restoreChosen(): Chosen {
  const kept = sessionStorage.getItem(KEY);
  return kept ? { kind: "some", ids: new Set(kept.split(",")) } : NONE_CHOSEN;
}
