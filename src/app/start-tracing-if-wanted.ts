import type { Config } from "../runtime/config.js";
import type { Tracing } from "../observability/start-tracing.js";
import { version } from "./version.js";

/** Null, and nothing of it is loaded, where no endpoint is set. */
export async function startTracingIfWanted(
  name: "api" | "worker",
  { otlpEndpoint }: Pick<Config, "otlpEndpoint">,
): Promise<Tracing | null> {
  if (otlpEndpoint === null) return null;
  const { startTracing } = await import("../observability/start-tracing.js");
  return startTracing({
    endpoint: otlpEndpoint,
    serviceName: process.env["OTEL_SERVICE_NAME"] || `photo-service-${name}`,
    version,
  });
}
