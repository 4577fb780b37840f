import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { router } from "../../address/router.js";
import { ago, moment, number, standing } from "../../in-words.js";
import { EVENTS, QUEUED_JOB, QUEUED_JOBS } from "../../operations.js";
import { JobResult } from "../../results/job-result.js";
import { titleOf } from "../../jobs/job-groups.js";
import { toInput } from "../../jobs/list-pages.js";
import type { QueuedJob, QueuedJobDetails } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { AsGraphql, CopyButton } from "../as-graphql.js";
import { Icon } from "../frame/icons.js";
import { Preview } from "../preview.js";
import { JobButtons } from "./job-row.js";
import { now } from "./now.js";
import { StatusPill } from "./status-pill.js";
import { Tabs } from "./tabs.js";
import { Timeline } from "./timeline.js";
import { useEscape } from "./use-escape.js";
import { WithoutUnreadable } from "./without-unreadable.js";

/** Same width as in phone.css, where the details cover the page and so must take the focus. */
const isNarrow = matchMedia("(max-width: 760px)");
const close = (): void => router.close("job");

/** Kept from job to job. */
const tab = signal("Result");

export function JobDetails() {
  const { openJob, list } = useWorkspace();
  const id = openJob.id.value;
  // This read subscribes the component to added and removed rows.
  void list.ids.value;
  const ref = useRef<HTMLElement>(null);
  useEscape(close);
  useEffect(() => {
    ref.current?.querySelector(".scrolls")?.scrollTo(0, 0);
    if (id === null || !isNarrow.matches) return undefined;
    ref.current?.querySelector("button")?.focus();
    return () =>
      requestAnimationFrame(() =>
        document.querySelector<HTMLElement>(`[data-id="${id}"] .open`)?.focus(),
      );
  }, [id]);
  const details = openJob.details.value?.id === id ? openJob.details.value : null;
  const row = id === null ? undefined : list.row(id)?.value;
  const isGone = openJob.isGone.value || (details !== null && !row);
  return (
    <aside class="details" aria-label="Selected job" ref={ref}>
      <header>
        <button type="button" class="plain close" aria-label="Close" onClick={close}>
          <Icon name={isNarrow.matches ? "left" : "close"} />
        </button>
        <h2>{row?.job.title ?? "Job"}</h2>
        {row && !isGone && <JobButtons row={row} hasWords />}
      </header>
      {isGone && (
        <div class="empty">
          <Icon name="trash" size={40} />
          <h2>This job was deleted.</h2>
        </div>
      )}
      {row && !isGone && (
        <div class="scrolls" tabIndex={-1}>
          <Summary row={row} details={details} />
          {details ? (
            <Parts details={details} />
          ) : (
            <p aria-busy="true" class="faint">
              Loading…
            </p>
          )}
        </div>
      )}
    </aside>
  );
}

/** State, progress, and the photos that the job works on. */
function Summary({ row, details }: { row: QueuedJob; details: QueuedJobDetails | null }) {
  const { limits, openGroup } = useWorkspace();
  const { status, progress, createdAt, photos, error, group } = row;
  return (
    <>
      <p class="line">
        <StatusPill status={status} progress={progress} />
        {status !== "FAILED" && <span class="faint">{standing(row, limits.value)}</span>}
        <time class="faint" dateTime={createdAt} title={moment(createdAt)}>
          {ago(createdAt, now.value)}
        </time>
      </p>
      {status === "STARTED" && <progress value={progress} max={1} aria-label="Progress" />}
      {status === "FAILED" && error && (
        <p class="fault banner">
          {error.message} <code>{error.code}</code>
        </p>
      )}
      {details && status === "FAILED" && <WithoutUnreadable details={details} />}
      {group && group.id !== openGroup.id.value && (
        <p class="faint">
          Part of <a {...router.link({ group: group.id })}>{titleOf(group)}</a>
        </p>
      )}
      <InputStrip photos={photos} />
    </>
  );
}

const MAX_INPUTS = 12;

function InputStrip({ photos }: Pick<QueuedJob, "photos">) {
  if (photos.length === 0) return null;
  return (
    <ul class="strip" aria-label="Photos of this job">
      {photos.slice(0, MAX_INPUTS).map((photo) => (
        <li key={photo.id}>
          <a {...router.link({ photo: photo.id })} title={photo.filename}>
            <Preview photo={photo} isNamed />
          </a>
        </li>
      ))}
      {photos.length > MAX_INPUTS && <li class="rest">+{number(photos.length - MAX_INPUTS)}</li>}
      {photos.length === 1 && <li class="caption">{photos[0]?.filename}</li>}
    </ul>
  );
}

function Parts({ details }: { details: QueuedJobDetails }) {
  const { id, parameters, expiresAt, status, reusedFrom } = details;
  const { list } = useWorkspace();
  const parts = {
    ...(status === "SUCCESS" && {
      Result: () => (
        <>
          {reusedFrom && (
            <p class="faint">
              Reused the result of an <a {...router.link({ job: reusedFrom })}>identical job</a>.
            </p>
          )}
          <JobResult details={details} />
        </>
      ),
    }),
    Timeline: () => <Timeline history={details.history} />,
    Parameters: () => (
      <>
        <pre tabIndex={0} aria-label="Parameters">
          <code>{JSON.stringify(parameters, null, 2)}</code>
        </pre>
        <p class="line faint">
          <code class="id">{id}</code> <CopyButton text={id} what="id" />
        </p>
        {expiresAt && <p class="faint">Expires {moment(expiresAt)}</p>}
      </>
    ),
    GraphQL: () => (
      <>
        <AsGraphql label="This job" query={QUEUED_JOB} variables={{ id }} isOpen />
        <AsGraphql
          label="The list, live"
          query={`${QUEUED_JOBS}\n\n${EVENTS}`}
          variables={{
            QueuedJobs: { first: 50, after: null, filter: toInput(list.filter.value) },
            Events: {
              after: "<eventCursor of the first page, then the cursor of the last event>",
            },
          }}
        />
      </>
    ),
  };
  return <Tabs parts={parts} chosen={tab} />;
}
