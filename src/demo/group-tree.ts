import type { GroupMember, JobGroup, LiveGroupSnapshot } from "../../client/src/groups/index.js";

/** Shows a group of a pipeline as a tree: a line for each photo, and one for each joining job. */
export interface GroupTree {
  show(snapshot: LiveGroupSnapshot): void;
  /** Draws what was shown last. */
  close(): void;
}

const INTERVAL_MS = 100;
const BAR_WIDTH = 24;
/** Lines of the terminal that stay free of branches. */
const SPARE_LINES = 6;

/** Without a terminal, it writes a line for each step instead. `photos` are their names. */
export function createGroupTree(out: NodeJS.WriteStream, photos: readonly string[]): GroupTree {
  return out.isTTY ? drawTree(out, photos) : writeSteps(out, photos);
}

function writeSteps(out: NodeJS.WriteStream, photos: readonly string[]): GroupTree {
  const versions = new Map<string, number>();
  return {
    show({ group, jobs }) {
      for (const job of jobs) {
        const { id, key, version, status } = job;
        if (versions.get(id) === version) continue;
        versions.set(id, version);
        const { label, step } = placeOf(key, photos);
        const percent = `${Math.round((group?.progress ?? 0) * 100)} %`.padStart(5);
        const text = `${percent}  ${label}  ${step}  ${status}  ${job.error?.message ?? ""}`;
        out.write(`  ${text.trimEnd()}\n`);
      }
    },
    close() {},
  };
}

function drawTree(out: NodeJS.WriteStream, photos: readonly string[]): GroupTree {
  let drawn = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let latest: LiveGroupSnapshot | null = null;

  function draw(): void {
    timer = null;
    if (!latest?.group) return;
    const height = Math.max(2, (out.rows || 24) - SPARE_LINES);
    const lines = renderTree(latest.group, latest.jobs, { photos, height });
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[J`);
    for (const line of lines) out.write(`${cut(line, out.columns || 80)}\n`);
    drawn = lines.length;
  }

  return {
    show(snapshot) {
      latest = snapshot;
      timer ??= setTimeout(draw, INTERVAL_MS);
    },
    close() {
      if (timer) clearTimeout(timer);
      draw();
    },
  };
}

/** At most `height` lines: branches that are done are left out first. */
export function renderTree(
  group: JobGroup,
  jobs: readonly GroupMember[],
  { photos, height }: { photos: readonly string[]; height: number },
): string[] {
  const branches = branchesOf(jobs, photos);
  const width = Math.max(0, ...branches.map(({ label }) => label.length));
  const open = branches.filter(({ steps }) => steps.some(({ status }) => status !== "SUCCESS"));
  const isCut = branches.length > height;
  const shown = isCut ? open.slice(0, height - 1) : branches;
  const hidden = branches.length - shown.length;
  const lines = shown.map(
    ({ label, steps }) => `${label.padEnd(width)}  ${steps.map(stepText).join(" → ")}`,
  );
  if (hidden > 0) lines.push(`… and ${hidden} more`);
  return [
    headOf(group),
    ...lines.map((line, i) => `${i === lines.length - 1 ? "└─" : "├─"} ${line}`),
  ];
}

interface Branch {
  label: string;
  steps: (GroupMember & { step: string })[];
}

function branchesOf(jobs: readonly GroupMember[], photos: readonly string[]): Branch[] {
  const branches = new Map<string, Branch>();
  for (const job of jobs) {
    const { branch, label, step } = placeOf(job.key, photos);
    const { steps } = branches.get(branch) ?? { steps: [] };
    branches.set(branch, { label, steps: [...steps, { ...job, step }] });
  }
  return [...branches.values()];
}

/** `1-scrub` is a step of the first photo; a job that joins all photos is a branch by itself. */
function placeOf(key: string, photos: readonly string[]) {
  const [, number, step] = /^(\d+)-(.+)$/.exec(key) ?? [];
  const label = photos[Number(number) - 1];
  return step === undefined || label === undefined
    ? { branch: key, label: "all photos", step: key }
    : { branch: String(number), label, step };
}

function headOf({ name, progress, total, succeeded, failed, cancelled }: JobGroup): string {
  const filled = Math.round(progress * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  const faults = failed + cancelled > 0 ? `, ${failed} failed, ${cancelled} cancelled` : "";
  const percent = `${Math.round(progress * 100)} %`;
  return `${name ?? "group"}  ${bar} ${percent}  ${succeeded} of ${total} jobs succeeded${faults}`;
}

function stepText({ step, status, progress, waitingFor, error }: Branch["steps"][number]): string {
  if (status === "STARTED") return `${step} ${Math.round(progress * 100)} %`;
  if (status === "SUCCESS") return `${step} ✓`;
  if (status === "FAILED") return `${step} ✗ ${error?.message ?? ""}`.trimEnd();
  if (status === "CANCELLED") return `${step} cancelled`;
  return waitingFor > 1 ? `${step} waits for ${waitingFor}` : `${step} ·`;
}

/** A line that wraps would be erased only in part. */
function cut(line: string, columns: number): string {
  const characters = Array.from(line);
  return characters.length < columns ? line : `${characters.slice(0, columns - 2).join("")}…`;
}
