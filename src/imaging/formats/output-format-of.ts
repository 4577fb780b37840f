import { OUTPUT_FORMATS, type OutputFormat } from "./output-format.js";

/** The photo's own format where tasks write it, else JPEG. */
export function outputFormatOf(photoFormat: string): OutputFormat {
  return OUTPUT_FORMATS.find((format) => format === photoFormat) ?? "jpeg";
}
