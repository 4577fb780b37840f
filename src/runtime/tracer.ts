/**
 * Attributes of a span. They must not hold a token, a signed URL, or client text without a bound.
 */
export type SpanAttributes = Record<string, string | number | boolean>;

/**
 * Traces one submission through functions and processes. With tracing off this is `noTracer`, which
 * costs one call.
 */
export interface Tracer {
  /** Runs `work` in a child span of the current span. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /**
   * As `span`, but continues a trace that another process carried here, or begins a new trace.
   * `note` adds attributes that become available during the work.
   */
  resume<T>(
    carried: string | undefined,
    name: string,
    work: (note: (attributes: SpanAttributes) => void) => Promise<T>,
  ): Promise<T>;
  /** Returns the current span's context for another process; undefined outside a span. */
  carry(): string | undefined;
}

export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(),
  resume: (_carried, _name, work) => work(() => {}),
  carry: () => undefined,
};
