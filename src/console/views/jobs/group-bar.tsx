import { countsOf } from "../../in-words.js";
import { type Group, titleOf } from "../../jobs/job-groups.js";

const PARTS = ["succeeded", "failed", "cancelled", "started"] as const;

/** One bar for all jobs of a group, with a part for each state. */
export function GroupBar({ group }: { group: Group }) {
  return (
    <span
      class="group-bar"
      role="progressbar"
      aria-label={`Progress of ${titleOf(group)}`}
      aria-valuenow={Math.round(group.progress * 100)}
      aria-valuetext={countsOf(group)}
    >
      {PARTS.map((name) => (
        <span
          key={name}
          class={`is-${name}`}
          style={{ width: `${(group[name] / group.total) * 100}%` }}
        />
      ))}
    </span>
  );
}
