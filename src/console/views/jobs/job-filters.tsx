import type { Signal } from "@preact/signals";
import type { QueuedJobStatus } from "../../../../client/src/index.js";
import type { JobSearch } from "../../address/address.js";
import { part, router } from "../../address/router.js";
import { number, STATUS_WORDS } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { useChosenInSight } from "../frame/use-chosen-in-sight.js";

const search = part(({ jobs }) => jobs);

function change(changes: Partial<JobSearch>): void {
  router.go({ jobs: { ...search.peek(), ...changes } });
}

/** `totalCount` is exact up to this number. */
const COUNTED = 10_000;
const countInWords = (count: number): string =>
  count >= COUNTED ? `${number(COUNTED)}+` : number(count);

/** The states as chips with their counts, and what can be done with all jobs. */
export function JobFilters() {
  const { counts, submission } = useWorkspace();
  const row = useChosenInSight(search.value);
  const { status, job } = search.value;
  const toggle = (name: QueuedJobStatus): void =>
    change({ status: status.includes(name) ? [] : [name] });
  const total = Object.values(counts.byStatus.value).reduce((sum, count) => sum + count, 0);
  return (
    <header class="bar list-head">
      <h2 id="jobs-title">
        Jobs <span class="count">{countInWords(total)}</span>
      </h2>
      <div class="chips-row" role="group" aria-label="State" ref={row}>
        {(Object.keys(STATUS_WORDS) as QueuedJobStatus[]).map((name) => (
          <button
            key={name}
            type="button"
            class={`chip is-${name.toLowerCase()}`}
            aria-pressed={status.includes(name)}
            onClick={() => toggle(name)}
          >
            {STATUS_WORDS[name]}{" "}
            {counts.byStatus.value[name] > 0 && (
              <span class="count">{countInWords(counts.byStatus.value[name])}</span>
            )}
          </button>
        ))}
        <select
          class={job ? "chip is-on" : "chip"}
          aria-label="Kind of job"
          value={job}
          onChange={(event) => change({ job: event.currentTarget.value })}
        >
          <option value="">Any job</option>
          {submission.jobs.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <BulkMenu />
    </header>
  );
}

/** Acts on every job that the filter leaves. */
function BulkMenu() {
  const { counts, actOnAll } = useWorkspace();
  const { PENDING, STARTED, SUCCESS, FAILED, CANCELLED } = counts.byStatus.value;
  const { status } = search.value;
  const within = (name: QueuedJobStatus, count: number): number =>
    status.length === 0 || status.includes(name) ? count : 0;
  const [waiting, failed] = [
    within("PENDING", PENDING) + within("STARTED", STARTED),
    within("FAILED", FAILED) + within("CANCELLED", CANCELLED),
  ];
  const finished = within("SUCCESS", SUCCESS) + failed;
  const item = (what: "cancel" | "retry" | "delete", label: string, count: number) => (
    <button
      type="button"
      disabled={count === 0}
      popovertarget="bulk"
      popovertargetaction="hide"
      onClick={() => void actOnAll(what)}
    >
      {label} {countInWords(count)}
    </button>
  );
  return (
    <>
      <button type="button" class="plain" popovertarget="bulk" aria-label="Actions on all jobs">
        <Icon name="more" />
      </button>
      <div id="bulk" class="menu" popover="auto" role="group" aria-label="Actions on all jobs">
        {item("cancel", "Cancel unfinished:", waiting)}
        {item("retry", "Retry failed and cancelled:", failed)}
        {item("delete", "Delete finished:", finished)}
      </div>
    </>
  );
}

/** The number of selected jobs and groups, and the actions on them. */
export function ChosenBar({ chosen }: { chosen: Signal<ReadonlySet<string>> }) {
  const { act, list } = useWorkspace();
  const ids = [...chosen.value];
  const of = (...states: QueuedJobStatus[]): string[] =>
    ids.filter((id) => states.includes(list.statusOf(id)));
  const clear = (): void => {
    chosen.value = new Set();
  };
  const button = (what: "cancel" | "retry" | "delete", word: string, some: string[]) =>
    some.length > 0 && (
      <button
        type="button"
        class={what === "delete" ? "danger" : ""}
        onClick={() => {
          void act(what, some);
          clear();
        }}
      >
        {word} {some.length}
      </button>
    );
  return (
    <div class="bar selection-bar" role="toolbar" aria-label="Selected jobs">
      <button type="button" class="plain" aria-label="Clear the selection" onClick={clear}>
        <Icon name="close" />
      </button>
      <h2>
        <span role="status">{number(ids.length)} selected</span>
      </h2>
      <span class="space" />
      {button("cancel", "Cancel", of("PENDING", "STARTED"))}
      {button("retry", "Retry", of("FAILED", "CANCELLED"))}
      {button("delete", "Delete", of("SUCCESS", "FAILED", "CANCELLED"))}
    </div>
  );
}
