// The photos that the user has selected: some by their ids, or all that match the search but some.

export type Chosen =
  | { kind: "some"; ids: ReadonlySet<string> }
  | { kind: "all"; total: number; except: ReadonlySet<string> };

export const NONE_CHOSEN: Chosen = { kind: "some", ids: new Set() };

export function isChosen(chosen: Chosen, id: string): boolean {
  return chosen.kind === "some" ? chosen.ids.has(id) : !chosen.except.has(id);
}

export function chosenCount(chosen: Chosen): number {
  return chosen.kind === "some" ? chosen.ids.size : Math.max(0, chosen.total - chosen.except.size);
}

/** Selects the photos, or takes them out of the selection. */
export function choose(chosen: Chosen, ids: Iterable<string>, isOn: boolean): Chosen {
  if (chosen.kind === "some") return { ...chosen, ids: changed(chosen.ids, ids, isOn) };
  return { ...chosen, except: changed(chosen.except, ids, !isOn) };
}

export function toggle(chosen: Chosen, id: string): Chosen {
  return choose(chosen, [id], !isChosen(chosen, id));
}

/** Removes deleted photos, so that they are not counted any more. */
export function forget(chosen: Chosen, id: string): Chosen {
  if (chosen.kind === "some") return chosen.ids.has(id) ? choose(chosen, [id], false) : chosen;
  return {
    ...chosen,
    total: chosen.total - 1,
    except: changed(chosen.except, [id], false),
  };
}

function changed(
  ids: ReadonlySet<string>,
  changes: Iterable<string>,
  isIn: boolean,
): ReadonlySet<string> {
  const next = new Set(ids);
  for (const id of changes) {
    if (isIn) next.add(id);
    else next.delete(id);
  }
  return next;
}
