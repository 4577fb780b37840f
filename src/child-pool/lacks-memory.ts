/**
 * Whether an image library failed for want of memory, which only its text tells: WebP's encoder is
 * "unable to encode", and a process at the end of its address space cannot start a thread.
 * WebAssembly's "memory access out of bounds" is a decoder gone astray.
 */
export function lacksMemory(error: unknown): boolean {
  return (
    /memory|allocat|creat(e|ing) thread|webpsave: unable to encode/i.test(String(error)) &&
    !/out of bounds/.test(String(error))
  );
}
