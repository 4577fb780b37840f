import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type {
  ArchiveResult,
  ContactSheetResult,
  ConvertResult,
  JobName,
  Jobs,
  OutputFile,
  PaletteResult,
  PrepareResult,
  ScrubResult,
} from "../../../client/src/index.js";
import { bytes, moment, plural } from "../in-words.js";
import type { QueuedJobDetails } from "../types.js";
import { CropBoxes, OutputPictures, PlaceholderReveal } from "./pictures.js";
import { Duplicates } from "./duplicates.js";
import { MetadataCard } from "./metadata-card.js";
import { CopyButton } from "../views/as-graphql.js";
import { Compare } from "../views/lightbox/compare.js";

type Succeeded<Name extends JobName> = QueuedJobDetails<Name> & { result: Jobs[Name]["result"] };

/** How to show the result of each Job, without its files. All others are shown as JSON. */
const SHOWN: { [Name in JobName]?: (details: Succeeded<Name>) => ComponentChildren } = {
  thumbnail: () => null,
  metadata: ({ result }) => <MetadataCard result={result} />,
  placeholder: ({ result, photos }) => <PlaceholderReveal result={result} photo={photos[0]} />,
  palette: ({ result }) => <PaletteChips result={result} />,
  hash: ({ result, photos }) => <Duplicates result={result} photo={photos[0]} />,
  crop: ({ result, photos }) => <CropBoxes result={result} photo={photos[0]} />,
  scrub: ({ result }) => <RemovedTags result={result} />,
  convert: ({ result }) => <p>{converted(result)}</p>,
  watermark: () => null,
  "contact-sheet": ({ result }) => <p>{sheet(result)}</p>,
  archive: ({ result, outputs, expiresAt }) => (
    <Download result={result} file={outputs[0]} expiresAt={expiresAt} />
  ),
  prepare: ({ result, photos }) => <Prepared result={result} photo={photos[0]} />,
};

export function JobResult({ details }: { details: QueuedJobDetails }) {
  const { id, result, job, outputs, photos, expiresAt } = details;
  const compared = useSignal<OutputFile | null>(null);
  const [photo] = photos;
  const warnings = (result as { warnings?: string[] } | null)?.warnings ?? [];
  const show = SHOWN[job.name] as ((details: QueuedJobDetails) => ComponentChildren) | undefined;
  const pictures = outputs.length > 0 && job.name !== "archive" && (
    <OutputPictures
      queuedJobId={id}
      outputs={outputs}
      expiresAt={expiresAt}
      photo={photo}
      onCompare={(output) => {
        compared.value = output;
      }}
    />
  );
  return (
    <section class="result" aria-label="Result">
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      {photo && compared.value && (
        <Compare
          photo={photo}
          output={compared.value}
          onClose={() => {
            compared.value = null;
          }}
        />
      )}
      {pictures}
      {show ? show(details) : <Json value={result} />}
      {show && (
        <details>
          <summary>As JSON</summary>
          <Json value={result} />
        </details>
      )}
    </section>
  );
}

function Json({ value }: { value: unknown }) {
  return (
    <pre tabIndex={0} aria-label="Result as JSON">
      <code>{JSON.stringify(value, null, 2)}</code>
    </pre>
  );
}

function Prepared({
  result,
  photo,
}: {
  result: PrepareResult;
  photo: QueuedJobDetails["photos"][number] | undefined;
}) {
  return (
    <>
      <PlaceholderReveal result={result.placeholder} photo={photo} />
      <PaletteChips result={result.palette} />
      <MetadataCard result={result.metadata} />
      <Duplicates result={result.hash} photo={photo} />
    </>
  );
}

function converted({ format, width, height, byteSize, ratio }: ConvertResult): string {
  const change =
    ratio < 1
      ? `${Math.round((1 - ratio) * 100)} % smaller`
      : `${times(ratio)} the original's size`;
  return `${format.toUpperCase()}, ${width} × ${height}, ${bytes(byteSize)}: ${change}`;
}

const times = (ratio: number): string => `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} ×`;

function Download({
  result: { files, byteSize },
  file,
  expiresAt,
}: {
  result: ArchiveResult;
  file: QueuedJobDetails["outputs"][number] | undefined;
  expiresAt: string | null;
}) {
  return (
    <>
      <p>
        {plural(files, "photo")}, {bytes(byteSize)}
        {expiresAt && <span class="faint">, expires {moment(expiresAt)}</span>}
      </p>
      {file && (
        <a
          class="button primary download"
          href={file.url}
          download={file.name}
          target="_blank"
          rel="noreferrer"
        >
          Download {file.name}
        </a>
      )}
    </>
  );
}

function sheet({ columns, rows, width, height }: ContactSheetResult): string {
  return `${plural(columns, "column")} and ${plural(rows, "row")}, ${width} × ${height}`;
}

function PaletteChips({ result: { swatches } }: { result: PaletteResult }) {
  return (
    <>
      <div class="palette-bar" aria-hidden="true">
        {swatches.map(({ hex, population }) => (
          <span key={hex} style={{ background: hex, flexGrow: population }} />
        ))}
      </div>
      <ul class="chips" aria-label="Palette">
        {swatches.map(({ hex, population }) => (
          <li key={hex}>
            <span class="swatch" style={{ background: hex }} aria-hidden="true" />
            <code>{hex}</code>
            <span class="faint">{percent(population)}</span>
            <CopyButton text={hex} what={`colour ${hex}`} />
          </li>
        ))}
      </ul>
    </>
  );
}

const percent = (part: number): string =>
  part < 0.01 ? "under 1 %" : `${Math.round(part * 100)} %`;

function RemovedTags({ result: { removed, lossless } }: { result: ScrubResult }) {
  return (
    <>
      <p>
        {removed.length === 0
          ? "The file had no tags to remove."
          : `Removed ${plural(removed.length, "tag")} and verified the file.`}{" "}
        {lossless ? "The pixels are unchanged." : "The image was encoded again."}
      </p>
      <ul class="tags" aria-label="Removed" tabIndex={0}>
        {removed.map((tag) => (
          <li key={tag}>{tag}</li>
        ))}
      </ul>
    </>
  );
}
