import { number, STATUS_WORDS } from "../../in-words.js";
import { toInput, type Filter } from "../../jobs/list-pages.js";
import { EVENTS, QUEUED_JOBS } from "../../operations.js";
import type { Status } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { AsGraphql } from "../as-graphql.js";

/** `totalCount` is exact up to here. */
const COUNTED = 10_000;

export function ListFilter() {
  const { list, submission } = useWorkspace();
  const { status, job } = list.filter.value;
  const total = list.totalCount.value;
  const read = (changes: Partial<Filter>): void =>
    void list.read({ ...list.filter.value, ...changes }).catch(() => {});
  return (
    <header class="list-head">
      <h2 id="jobs-title">
        Jobs{" "}
        <span class="count">{total >= COUNTED ? `${number(COUNTED)} or more` : number(total)}</span>
      </h2>
      <div class="filters">
        <select
          aria-label="State"
          value={status[0] ?? ""}
          onChange={(event) =>
            read({ status: event.currentTarget.value ? [event.currentTarget.value as Status] : [] })
          }
        >
          <option value="">Any state</option>
          {Object.entries(STATUS_WORDS).map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
        <select
          aria-label="Kind of job"
          value={job[0] ?? ""}
          onChange={(event) =>
            read({ job: event.currentTarget.value ? [event.currentTarget.value] : [] })
          }
        >
          <option value="">Any job</option>
          {submission.jobs.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <AsGraphql
        label="Show as GraphQL"
        query={`${QUEUED_JOBS}

${EVENTS}`}
        variables={{
          QueuedJobs: { first: 50, after: null, filter: toInput(list.filter.value) },
          Events: { after: "<eventCursor of the first page, then the cursor of the last event>" },
        }}
      />
    </header>
  );
}
