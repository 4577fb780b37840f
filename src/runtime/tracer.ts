/** Attributes of a span; never a token, a signed URL or what a client may choose without bound. */
export type SpanAttributes = Record<string, string | number | boolean>;

/**
 * Follows one submission through functions and processes. Where tracing is off this is `noTracer`,
 * which costs a call.
 */
export interface Tracer {
  /** Runs `work` as a step of what is under way. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /**
   * As `span`, but continues what another process carried here; without that a trace of its own
   * begins. `note` adds what becomes known on the way.
   */
  resume<T>(
    carried: string | undefined,
    name: string,
    work: (note: (attributes: SpanAttributes) => void) => Promise<T>,
  ): Promise<T>;
  /** Names what is under way, for another process; undefined when nothing is. */
  carry(): string | undefined;
}

export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(),
  resume: (_carried, _name, work) => work(() => {}),
  carry: () => undefined,
};
