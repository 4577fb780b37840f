import type { QueuedJobStatus } from "../../../../client/src/index.js";
import { STATUS_WORDS } from "../../in-words.js";
import { Icon, type IconName } from "../frame/icons.js";

const ICONS: Record<Exclude<QueuedJobStatus, "STARTED">, IconName> = {
  PENDING: "clock",
  SUCCESS: "check",
  FAILED: "warning",
  CANCELLED: "stop",
};

/** The state of a job as a word with its icon; a running job has a turning circle. */
export function StatusPill({
  status,
  progress,
  isFresh = false,
}: {
  status: QueuedJobStatus;
  progress: number;
  /** True just after a change, which is then shown by a movement. */
  isFresh?: boolean;
}) {
  return (
    <span class={`status is-${status.toLowerCase()}${isFresh ? " is-new" : ""}`}>
      {status === "STARTED" ? (
        <span class="turning" aria-hidden="true" />
      ) : (
        <Icon name={ICONS[status]} size={14} />
      )}
      <span class="word">
        {STATUS_WORDS[status]}
        {status === "STARTED" && ` ${Math.round(progress * 100)} %`}
      </span>
    </span>
  );
}
