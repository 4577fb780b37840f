import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Written to stderr by the shell when the system refuses the cap; the child runs all the same. */
export const UNCAPPED = "photo-child: no memory cap";

// `ulimit -d` makes a bloating decode fail cleanly; `ulimit -v` would crash V8 and WebAssembly,
// which reserve far more than they use. oom_score_adj: short of memory, the kernel takes a child
// and not the service. pdeathsig: the kernel kills the child with its parent even while the child's
// JavaScript computes and cannot hear the channel close.
const SCRIPT = `ulimit -c 0
ulimit -d "$1" 2>/dev/null || echo '${UNCAPPED}' >&2
shift
{ echo 900 > /proc/self/oom_score_adj; } 2>/dev/null
setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL "$0" "$@"
exec "$0" "$@"`;

// Given, not inherited: a child needs no secret of its parent. Beware: one that is taken over by a
// photo can still find them. It has the parent's user, who may read /proc/<parent>/environ and the
// parent's files; only a user of its own or a sandbox would prevent that. Two arenas keep glibc
// from holding on to memory per thread (268 to 145 MB after 900 thumbnails).
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  MALLOC_ARENA_MAX: "2",
  LANG: "C.UTF-8",
};

/**
 * What V8 maps for code and hardly touches; from Node 24 on it counts as data, which is what is
 * capped.
 */
const RESERVED_BYTES = Number.parseInt(process.versions.node) >= 24 ? 512 * 1024 ** 2 : 0;

/** Whether children can be capped on this kind of system. */
export const canCap = process.platform === "linux";

/**
 * Starts Node on `entry` with an IPC channel, stderr as a pipe, no other input or output, and its
 * data capped.
 */
export function spawnChild(entry: URL, memoryLimitBytes: number): ChildProcess {
  // JavaScript gets a third of it: V8 then says that it is out of memory, whereas at the system's
  // cap it may just crash.
  const heapMib = Math.floor(memoryLimitBytes / 3 / 1024 / 1024);
  const node = [`--max-old-space-size=${heapMib}`, fileURLToPath(entry)];
  const options = {
    stdio: ["ignore", "ignore", "pipe", "ipc"] as ("ignore" | "pipe" | "ipc")[],
    env: ENVIRONMENT,
  };
  if (!canCap) return spawn(process.execPath, node, options);
  const limitKib = String(Math.floor((memoryLimitBytes + RESERVED_BYTES) / 1024));
  return spawn("/bin/sh", ["-c", SCRIPT, process.execPath, limitKib, ...node], options);
}
